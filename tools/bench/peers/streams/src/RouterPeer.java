import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;

/**
 * The router's work in Kafka Streams: decode the event, read its signature, score two linear heads, choose the cheapest plan, tag.
 * Arguments: brokers, input topic, run, events (0: until standard input ends), file of the policy, threads.
 * Says "ready", then {"ms", "cpuMicros", "maxRssMb"} from its first record to the commit of its last.
 */
public final class RouterPeer {
  static final String[] TIERS = {"fast", "standard", "heavy"};
  static final AtomicLong started = new AtomicLong();
  static volatile long cpuAtStart;

  public static void main(String[] args) throws Exception {
    String input = args[1], run = args[2];
    long events = Long.parseLong(args[3]);
    Policy policy = Policy.read(Path.of(args[4]));
    Properties config = new Properties();
    config.put(StreamsConfig.APPLICATION_ID_CONFIG, run);
    config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[0]);
    config.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    config.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
    config.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, Integer.parseInt(args[5]));
    config.put(StreamsConfig.STATE_DIR_CONFIG, Files.createTempDirectory("streams-peer").toString());
    config.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    config.put("auto.offset.reset", "earliest");
    config.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
    config.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
    Topology topology = new Topology();
    topology.addSource("in", input).addProcessor("router", () -> new Router(policy, run), "in");
    for (String tier : TIERS) topology.addSink(tier, run + ".model." + tier, "router");
    KafkaStreams streams = new KafkaStreams(topology, config);
    CountDownLatch running = new CountDownLatch(1);
    streams.setStateListener((now, before) -> {
      if (now == KafkaStreams.State.RUNNING) running.countDown();
    });
    streams.start();
    running.await(60, TimeUnit.SECONDS);
    System.out.println("ready");
    if (events > 0) System.out.println(untilCommitted(args[0], run, events));
    else while (System.in.read() >= 0) continue;
    streams.close(java.time.Duration.ofSeconds(10));
    System.exit(0);
  }

  static String untilCommitted(String brokers, String group, long events) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", brokers))) {
      for (;;) {
        long done = 0;
        for (var offset : admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().values()) {
          if (offset != null) done += offset.offset();
        }
        if (done >= events) break;
        Thread.sleep(20);
      }
    }
    double ms = (System.nanoTime() - started.get()) / 1e6;
    double cpu = (cpuNanos() - cpuAtStart) / 1e3 / events;
    return String.format(java.util.Locale.ROOT, "{\"ms\":%.1f,\"cpuMicros\":%.3f,\"maxRssMb\":%.1f}", ms, cpu, maxRssMb());
  }

  static long cpuNanos() {
    return ProcessHandle.current().info().totalCpuDuration().map(java.time.Duration::toNanos).orElse(0L);
  }

  static double maxRssMb() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.exists(status)) return -1;
    for (String line : Files.readAllLines(status)) {
      if (line.startsWith("VmHWM:")) return Long.parseLong(line.replaceAll("\\D", "")) / 1024.0;
    }
    return -1;
  }

  /** Weights of the two route heads and the marker of the tag's schema, written by the bench. */
  record Policy(byte[] marker, float[][] heads, double[] costs, double threshold, double auditRate, int auditKey) {
    static Policy read(Path file) throws IOException {
      List<String> lines = Files.readAllLines(file);
      double[] more = numbers(lines.get(4));
      return new Policy(java.util.HexFormat.of().parseHex(lines.get(0)), new float[][] {floats(lines.get(1)), floats(lines.get(2))},
          numbers(lines.get(3)), more[0], more[1], (int) (long) more[2]);
    }

    private static double[] numbers(String line) {
      return java.util.Arrays.stream(line.split(" ")).mapToDouble(Double::parseDouble).toArray();
    }

    private static float[] floats(String line) {
      double[] wide = numbers(line);
      float[] narrow = new float[wide.length];
      for (int i = 0; i < wide.length; i++) narrow[i] = (float) wide[i];
      return narrow;
    }
  }

  static final class Router implements Processor<byte[], byte[], byte[], byte[]> {
    private final Policy policy;
    private final String run;
    private final Signature signature = new Signature();
    private ProcessorContext<byte[], byte[]> context;

    Router(Policy policy, String run) {
      this.policy = policy;
      this.run = run;
    }

    @Override
    public void init(ProcessorContext<byte[], byte[]> context) {
      this.context = context;
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
      if (started.get() == 0 && started.compareAndSet(0, System.nanoTime())) cpuAtStart = cpuNanos();
      var metadata = context.recordMetadata().orElseThrow();
      long now = System.currentTimeMillis();
      signature.read(record.value(), now, record.timestamp());
      Decision decision = Decision.make(policy, signature);
      String id = metadata.topic() + "/" + metadata.partition() + "/" + metadata.offset();
      byte[] source = id.getBytes(StandardCharsets.UTF_8);
      byte[] tag = Tag.encode(new Tag.Facts(policy, run, id, source, metadata.topic(), metadata.partition(), metadata.offset(), record.timestamp(), now), signature, decision);
      record.headers().add("sluice-tag", tag).add("sluice-origin", source).add("sluice-source", source);
      context.forward(record, TIERS[decision.position()]);
    }
  }

  /** Reads the Avro fields in place: 8 doubles, 3 strings; the text behind them is not read. */
  static final class Signature {
    static final int IMPLICIT = 14, NUMBERS = 8, CATEGORIES = 3, BUCKETS = 32;
    static final int WIDTH = IMPLICIT + 3 * NUMBERS + (BUCKETS + 1) * CATEGORIES;
    static final double SIZE_SCALE = Math.log1p(1_000_000), STALENESS_SCALE = Math.log1p(3600), DEADLINE = 86_400_000;
    final float[] dense = new float[WIDTH];
    int[] indices = new int[WIDTH];
    int count;

    void read(byte[] value, long now, long requestedAt) {
      java.util.Arrays.fill(dense, 0);
      if (value[0] != (byte) 0xc3 || value[1] != 1) throw new IllegalArgumentException("not single-object encoding");
      int at = 10, outOfRange = 0;
      for (int i = 0; i < NUMBERS; i++, at += 8) {
        double number = Double.longBitsToDouble((long) LONG.get(value, at));
        if (!Double.isFinite(number)) throw new IllegalArgumentException("not finite");
        double clipped = Math.min(100, Math.max(0, number));
        if (clipped != number) {
          outOfRange++;
          dense[IMPLICIT + 3 * i + 2] = 1;
        }
        dense[IMPLICIT + 3 * i] = (float) (clipped / 100);
      }
      for (int i = 0; i < CATEGORIES; i++) {
        int length = 0;
        for (int shift = 0; ; shift += 7) {
          byte next = value[at++];
          length |= (next & 0x7f) << shift;
          if (next >= 0) break;
        }
        length >>>= 1;
        int hash = Murmur3.hash(value, at, at + length, 0);
        dense[IMPLICIT + 3 * NUMBERS + i * (BUCKETS + 1) + Integer.remainderUnsigned(hash, BUCKETS)] = 1;
        at += length;
      }
      dense[0] = 1;
      dense[2] = outOfRange / (float) (NUMBERS + CATEGORIES);
      dense[3] = (float) (Math.log1p(value.length) / SIZE_SCALE);
      dense[4] = (float) (Math.log1p(Math.max(0, now - requestedAt) / 1000.0) / STALENESS_SCALE);
      dense[5] = (float) Math.min(1, Math.max(0, (requestedAt + DEADLINE - now) / DEADLINE));
      count = 0;
      for (int i = 0; i < WIDTH; i++) if (dense[i] != 0) indices[count++] = i;
    }

    private static final java.lang.invoke.VarHandle LONG =
        java.lang.invoke.MethodHandles.byteArrayViewVarHandle(long[].class, java.nio.ByteOrder.LITTLE_ENDIAN);
  }

  /** The cheapest plan: tiers are valued from heavy downwards, as in libs/routing/src/route.ts. */
  record Decision(int position, double harm, double score) {
    static Decision make(Policy policy, Signature signature) {
      double[] price = policy.costs(), harm = new double[3], value = new double[3];
      for (int tier = 0; tier < 2; tier++) {
        double sum = 0;
        float[] weights = policy.heads()[tier];
        for (int i = 0; i < signature.count; i++) sum += weights[signature.indices[i]] * signature.dense[signature.indices[i]];
        harm[tier] = Math.max(2e-4, 1 / (1 + Math.exp(-sum)));
      }
      int best = 2;
      for (int one = 2; one >= 0; one--) {
        value[one] = Double.POSITIVE_INFINITY;
        if (dominated(one, price, harm)) continue;
        value[one] = one == 2 ? price[2] : valueOf(one, price, harm, value, policy.threshold());
        if (value[one] <= value[best]) best = one;
      }
      return new Decision(best, harm[best], value[best]);
    }

    private static boolean dominated(int one, double[] price, double[] harm) {
      for (int other = 0; other < 3; other++) {
        if (other == one || !(price[other] <= price[one] && harm[other] <= harm[one])) continue;
        if (price[other] < price[one] || harm[other] < harm[one] || other < one) return true;
      }
      return false;
    }

    private static double valueOf(int one, double[] price, double[] harm, double[] value, double threshold) {
      double next = Double.POSITIVE_INFINITY;
      for (int above = one + 1; above < 3; above++) if (harm[above] < harm[one] && value[above] < next) next = value[above];
      double bar = threshold * next, u = Math.sqrt(2 * bar / harm[one]);
      double goingOn = next < Double.POSITIVE_INFINITY ? Math.exp(-u) * next : 0;
      double residual = u > 40 ? harm[one] : harm[one] / 2 * (2 - Math.exp(-u) * (u * u + 2 * u + 2));
      return price[one] + goingOn + residual / threshold;
    }
  }

  static final class Murmur3 {
    static int hash(byte[] bytes, int start, int end, int seed) {
      int h = seed, i = start;
      for (; i + 4 <= end; i += 4) {
        int k = (bytes[i] & 0xff) | (bytes[i + 1] & 0xff) << 8 | (bytes[i + 2] & 0xff) << 16 | bytes[i + 3] << 24;
        h = Integer.rotateLeft(h ^ scramble(k), 13) * 5 + 0xe6546b64;
      }
      int tail = 0;
      for (int j = end - 1; j >= i; j--) tail = tail << 8 | (bytes[j] & 0xff);
      h ^= scramble(tail);
      h ^= end - start;
      h = (h ^ h >>> 16) * 0x85ebca6b;
      h = (h ^ h >>> 13) * 0xc2b2ae35;
      return h ^ h >>> 16;
    }

    private static int scramble(int k) {
      return Integer.rotateLeft(k * 0xcc9e2d51, 15) * 0x1b873593;
    }

    /** A number in [0, 1) of text and key, as `keyedUniform` of libs/domain. */
    static double uniform(String text, int key) {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      long high = hash(bytes, 0, bytes.length, key) >>> 5, low = hash(bytes, 0, bytes.length, key ^ 0x9e3779b9) >>> 6;
      return (high * 67108864.0 + low) / 9007199254740992.0;
    }
  }

  /** The tag in Avro single-object encoding, field by field (libs/contracts/src/schemas/tag.ts). */
  static final class Tag {
    record Facts(Policy policy, String flow, String id, byte[] idBytes, String topic, int partition, long offset, long requestedAt, long now) {}

    static byte[] encode(Facts facts, Signature signature, Decision decision) {
      Out out = OUT.get().reset();
      Policy policy = facts.policy();
      out.raw(policy.marker()).bytes(facts.idBytes()).text(facts.flow()).text(facts.topic()).number(facts.partition()).number(facts.offset());
      out.number(facts.requestedAt()).number(facts.now()).number(facts.requestedAt() + (long) Signature.DEADLINE).number(1).number(0).flag(false).real(1);
      out.number(TIERS.length);
      for (int tier = 0; tier < TIERS.length; tier++) out.text(TIERS[tier]).text(TIERS[tier]).real(policy.costs()[tier]).number(1).real(0);
      out.number(0).number(decision.position()).real(policy.threshold()).flag(false).real(policy.auditRate());
      out.real(Murmur3.uniform(facts.id() + "@1", policy.auditKey()));
      out.number(signature.count * 6L);
      for (int i = 0; i < signature.count; i++) out.little(signature.indices[i], 2);
      for (int i = 0; i < signature.count; i++) out.little(Float.floatToRawIntBits(signature.dense[signature.indices[i]]), 4);
      out.number(1).number(1).text(TIERS[decision.position()]).real(decision.harm()).real(decision.score()).text("cheapest").number(facts.now()).number(1);
      return out.number(0).number(0).take();
    }

    private static final ThreadLocal<Out> OUT = ThreadLocal.withInitial(Out::new);
  }

  static final class Out {
    private final byte[] bytes = new byte[8192];
    private int at;

    Out reset() {
      at = 0;
      return this;
    }

    Out raw(byte[] more) {
      System.arraycopy(more, 0, bytes, at, more.length);
      at += more.length;
      return this;
    }

    Out bytes(byte[] more) {
      return number(more.length).raw(more);
    }

    Out text(String text) {
      return bytes(text.getBytes(StandardCharsets.UTF_8));
    }

    Out number(long value) {
      long rest = value << 1 ^ value >> 63;
      while ((rest & ~0x7fL) != 0) {
        bytes[at++] = (byte) (rest & 0x7f | 0x80);
        rest >>>= 7;
      }
      bytes[at++] = (byte) rest;
      return this;
    }

    Out flag(boolean value) {
      bytes[at++] = (byte) (value ? 1 : 0);
      return this;
    }

    Out real(double value) {
      return little(Double.doubleToRawLongBits(value), 8);
    }

    Out little(long value, int size) {
      for (int i = 0; i < size; i++) bytes[at++] = (byte) (value >>> 8 * i);
      return this;
    }

    byte[] take() {
      return java.util.Arrays.copyOf(bytes, at);
    }
  }
}
