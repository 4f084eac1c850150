import type { Clock, Slots } from '../../kit/index.ts'
import type { EncodedMessage, Logger, Sent } from '../ports.ts'
import type { Send } from '../produce/sendable.ts'
import type { PartitionOwner } from './partition-owner.ts'

/** What a partition's owner gets from the worker around it, or from a test. */
export interface OwnerEnvironment {
  readonly clock: Clock
  /** 0 up to 1. */
  readonly random: () => number
  readonly slots: Slots
  readonly log: Logger
  /** In dead letters: which process it was. */
  readonly workerName: string
  readonly send: Send
  /** Raw bytes, for dead letters; acknowledged by all replicas. */
  readonly sendLetter: (letter: EncodedMessage) => Promise<Sent>
  /** Commits what the owner has marked; false when the partition is lost. */
  readonly commit: (owner: PartitionOwner) => Promise<boolean>
  readonly onMarked: (owner: PartitionOwner) => void
  /** The worker has to stop because of this. */
  readonly onCritical: (owner: PartitionOwner, error: unknown) => void
  /** Lets sockets have a turn when handlers have run without a pause; undefined while none is due. */
  readonly breathe?: () => Promise<void> | undefined
  /** Calls a handler so that errors it leaves behind can be told to be its own. */
  readonly enter?: (owner: PartitionOwner, call: () => unknown) => unknown
}
