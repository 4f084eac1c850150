import type { Compression } from '../../../packages/millrace/src/protocol/index.ts'

export interface PeerMessage {
  readonly partition: number
  readonly offset: number
  readonly key: string
  readonly value: string
}

export interface OutgoingPeerMessage {
  readonly key: string
  readonly value: string
}

export interface PeerMember extends AsyncDisposable {
  /** Grows as messages come. */
  readonly messages: readonly PeerMessage[]
}

/** Another client, as far as the contract uses it. */
export interface Peer {
  readonly name: string
  /** Why it cannot run here, if it cannot. */
  readonly missing: string | undefined
  readonly codecs: readonly Compression[]
  /** Of the whole contract; default 90 s. */
  readonly timeoutMs?: number
  produce(
    address: string,
    topic: string,
    messages: readonly OutgoingPeerMessage[],
    compression: Compression,
  ): Promise<void>
  /** Joins a group, reads from the earliest message or its committed offset; disposing commits and leaves. */
  join(address: string, group: string, topic: string): Promise<PeerMember>
}
