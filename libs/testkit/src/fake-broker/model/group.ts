import type { RequestOf } from '../protocol/apis.ts';
import type { ResponseOf } from '../protocol/newer-apis.ts';
import { codes } from '../protocol/codes.ts';

type Join = RequestOf<'JoinGroup'>;
type JoinAnswer = ResponseOf<'JoinGroup'>;
type SyncAnswer = ResponseOf<'SyncGroup'>;

interface Member {
  readonly id: string;
  sessionTimeout: number;
  rebalanceTimeout: number;
  protocols: Join['protocols'];
  assignment: Buffer;
  /** Whether it asked for its assignment in this generation. */
  hasSynced: boolean;
  session: NodeJS.Timeout | undefined;
  joining: ((answer: JoinAnswer) => void) | undefined;
  syncing: ((answer: SyncAnswer) => void) | undefined;
}

/** How long a group that was empty waits for more members (group.initial.rebalance.delay.ms). */
const initialDelay = 200;
const noBytes: Buffer = Buffer.alloc(0);

const joinAnswer = (errorCode: number, memberId: string): JoinAnswer => ({
  ...{ throttleTime: 0, errorCode, generationId: -1, protocol: '', leaderId: '', memberId, members: [] },
});
const syncAnswer = (errorCode: number, assignment = noBytes): SyncAnswer => ({ throttleTime: 0, errorCode, assignment });

/** A consumer group under the classic protocol (GroupMetadata, GroupCoordinator.scala): join barrier, generations, sessions. */
export class Group {
  readonly #name: string;
  readonly #members = new Map<string, Member>();
  /** Ids that were handed out and have not joined yet (KIP-394). */
  readonly #promised = new Set<string>();
  #state: 'empty' | 'preparing' | 'completing' | 'stable' = 'empty';
  #generation = 0;
  #leader = '';
  #names = 0;
  #barrier: NodeJS.Timeout | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  get size(): number {
    return this.#members.size;
  }

  join(request: Join): Promise<JoinAnswer> {
    if (request.memberId === '') {
      const id = `${this.#name}-${++this.#names}`;
      this.#promised.add(id);
      return Promise.resolve(joinAnswer(codes.memberIdRequired, id));
    }
    const known = this.#members.get(request.memberId);
    if (known === undefined && !this.#promised.delete(request.memberId))
      return Promise.resolve(joinAnswer(codes.unknownMember, request.memberId));
    const member = known ?? this.#admit(request.memberId);
    const { sessionTimeout, rebalanceTimeout, protocols } = request;
    Object.assign(member, { sessionTimeout, rebalanceTimeout, protocols });
    clearTimeout(member.session);
    member.joining?.(joinAnswer(codes.unknownMember, member.id));
    const answer = new Promise<JoinAnswer>((resolve) => (member.joining = resolve));
    this.#prepare();
    return answer;
  }

  sync({ memberId, generationId, assignments }: RequestOf<'SyncGroup'>): Promise<SyncAnswer> {
    const member = this.#members.get(memberId);
    if (member === undefined) return Promise.resolve(syncAnswer(codes.unknownMember));
    if (generationId !== this.#generation) return Promise.resolve(syncAnswer(codes.illegalGeneration));
    if (this.#state === 'preparing') return Promise.resolve(syncAnswer(codes.rebalanceInProgress));
    this.#refresh(member);
    member.hasSynced = true;
    if (this.#state === 'stable') return Promise.resolve(syncAnswer(codes.none, member.assignment));
    const answer = new Promise<SyncAnswer>((resolve) => (member.syncing = resolve));
    if (memberId === this.#leader) this.#settle(assignments);
    return answer;
  }

  heartbeat({ memberId, generationId }: { memberId: string; generationId: number }): number {
    const refused = this.refusal(memberId, generationId);
    if (refused !== codes.none) return refused;
    this.#refresh(this.#members.get(memberId)!);
    return this.#state === 'preparing' ? codes.rebalanceInProgress : codes.none;
  }

  leave(memberId: string): number {
    this.#promised.delete(memberId);
    return this.#remove(memberId) ? codes.none : codes.unknownMember;
  }

  /** Whether a commit of this member and generation may pass. */
  refusal(memberId: string, generationId: number): number {
    if (!this.#members.has(memberId)) return codes.unknownMember;
    return generationId === this.#generation ? codes.none : codes.illegalGeneration;
  }

  /** The coordinator moves: what waits is sent away, who is a member stays one (the group's metadata is in a log). */
  move(): void {
    for (const member of this.#members.values()) {
      this.#answer(member, codes.notCoordinator);
      this.#refresh(member);
    }
  }

  close(): void {
    clearTimeout(this.#barrier);
    for (const { session } of this.#members.values()) clearTimeout(session);
  }

  #admit(id: string): Member {
    const member: Member = { id, sessionTimeout: 0, rebalanceTimeout: 0, protocols: [], assignment: noBytes, hasSynced: false, session: undefined, joining: undefined, syncing: undefined }; // prettier-ignore
    this.#members.set(id, member);
    return member;
  }

  #remove(id: string): boolean {
    const member = this.#members.get(id);
    if (member === undefined) return false;
    this.#members.delete(id);
    clearTimeout(member.session);
    this.#answer(member, codes.unknownMember);
    if (this.#members.size === 0) {
      clearTimeout(this.#barrier);
      this.#barrier = undefined;
      this.#state = 'empty';
      this.#generation++;
    } else this.#prepare();
    return true;
  }

  #answer(member: Member, errorCode: number): void {
    member.joining?.(joinAnswer(errorCode, member.id));
    member.syncing?.(syncAnswer(errorCode));
    member.joining = member.syncing = undefined;
  }

  /** A member that waits in a join is alive by that; any other has to be heard of within its session. */
  #refresh(member: Member): void {
    clearTimeout(member.session);
    member.session = setTimeout(() => {
      if (member.joining === undefined) this.#remove(member.id);
    }, member.sessionTimeout);
  }

  #prepare(): void {
    if (this.#state !== 'preparing') {
      const wait = this.#state === 'empty' ? initialDelay : Math.max(...[...this.#members.values()].map((one) => one.rebalanceTimeout));
      const mayEndEarly = this.#state !== 'empty';
      for (const member of this.#members.values()) {
        member.syncing?.(syncAnswer(codes.rebalanceInProgress));
        member.syncing = undefined;
      }
      this.#state = 'preparing';
      clearTimeout(this.#barrier);
      this.#barrier = setTimeout(() => this.#complete(), wait);
      if (!mayEndEarly) return;
    } else if (this.#generation === 0) return;
    if ([...this.#members.values()].every(({ joining }) => joining !== undefined)) this.#complete();
  }

  /** The barrier opens: who has not joined is out. */
  #complete(): void {
    clearTimeout(this.#barrier);
    for (const member of [...this.#members.values()]) {
      if (member.joining !== undefined) continue;
      clearTimeout(member.session);
      this.#members.delete(member.id);
    }
    this.#generation++;
    if (this.#members.size === 0) {
      this.#state = 'empty';
      return;
    }
    this.#state = 'completing';
    if (!this.#members.has(this.#leader)) this.#leader = this.#members.keys().next().value!;
    const protocol = this.#members.get(this.#leader)!.protocols[0]?.name ?? '';
    const metadata = (member: Member) => member.protocols.find(({ name }) => name === protocol)?.metadata ?? noBytes;
    const members = [...this.#members.values()].map((one) => ({ memberId: one.id, groupInstanceId: null, metadata: metadata(one) }));
    for (const member of this.#members.values()) {
      member.joining!({
        ...{
          throttleTime: 0,
          errorCode: codes.none,
          generationId: this.#generation,
          protocol,
          leaderId: this.#leader,
          memberId: member.id,
        },
        members: member.id === this.#leader ? members : [],
      });
      member.joining = undefined;
      member.hasSynced = false;
      this.#refresh(member);
    }
    const generation = this.#generation;
    this.#barrier = setTimeout(() => this.#expel(generation), Math.max(...[...this.#members.values()].map((one) => one.rebalanceTimeout)));
  }

  /** Who was told of a generation and has not asked for its part of it in time is out. */
  #expel(generation: number): void {
    if (generation !== this.#generation || this.#state === 'preparing') return;
    for (const { id, hasSynced } of [...this.#members.values()]) if (!hasSynced) this.#remove(id);
  }

  #settle(assignments: RequestOf<'SyncGroup'>['assignments']): void {
    this.#state = 'stable';
    for (const member of this.#members.values()) {
      member.assignment = assignments.find(({ memberId }) => memberId === member.id)?.assignment ?? noBytes;
      member.syncing?.(syncAnswer(codes.none, member.assignment));
      member.syncing = undefined;
    }
  }
}
