import { array, sized, struct, type Codec, type Fields } from './codec.ts';
import { Writer, type Reader } from './codec.ts';

/** What the flexible versions of the protocol add (KIP-482): lengths as unsigned varints, and tagged fields behind each structure. */
const uvarint: Codec<number> = {
  read(reader) {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = reader.buffer.readUInt8(reader.skip(1));
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  },
  write(writer, value) {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) put(writer, (rest % 0x80) | 0x80);
    put(writer, rest);
  },
};

function put(writer: Writer, byte: number): void {
  const [buffer, at] = writer.grow(1);
  buffer[at] = byte;
}

/** One more than the length, 0 for null. */
const length: Codec<number> = {
  read: (reader) => uvarint.read(reader) - 1,
  write: (writer, value) => uvarint.write(writer, value + 1),
};

export const compactNullableString = sized<string>(length, String, (text) => Buffer.from(text));
export const compactBytes = sized<Buffer>(length, (buffer) => buffer, (buffer) => buffer); // prettier-ignore
export const compactString: Codec<string> = {
  read: (reader) => compactNullableString.read(reader) ?? '',
  write: compactNullableString.write,
};
export const compactArray = <T>(item: Codec<T>): Codec<readonly T[]> => array(item, length);

/** Passes over the tagged fields of a structure. */
function passTags(reader: Reader): void {
  for (let left = uvarint.read(reader); left > 0; left--) {
    uvarint.read(reader);
    reader.skip(uvarint.read(reader));
  }
}

/** A structure that ends with tagged fields, of which none is known. */
export function tagged<F extends Fields>(fields: F): ReturnType<typeof struct<F>> {
  const plain = struct(fields);
  return {
    read: (reader) => {
      const value = plain.read(reader);
      passTags(reader);
      return value;
    },
    write: (writer, value) => {
      plain.write(writer, value);
      uvarint.write(writer, 0);
    },
  };
}

/** A body whose header ends with tagged fields. */
export const headed = <T>(body: Codec<T>): Codec<T> => ({
  read: (reader) => {
    passTags(reader);
    return body.read(reader);
  },
  write: (writer, value) => {
    uvarint.write(writer, 0);
    body.write(writer, value);
  },
});

/** The tagged fields of a structure, one of them known. Only brokers write it, and none reads it. */
export const oneTag = <T>(tag: number, field: Codec<T>): Codec<T> => ({
  read: () => {
    throw new Error(`tagged field ${tag} is only written`);
  },
  write: (writer, value) => {
    const content = new Writer();
    field.write(content, value);
    for (const number of [1, tag, content.bytes().length]) uvarint.write(writer, number);
    const [buffer, at] = writer.grow(content.bytes().length);
    content.bytes().copy(buffer, at);
  },
});
