import type { OutgoingMessage, SendResult } from '../../client/index.ts'
import type { GatewayPart } from '../command.ts'
import type { Session } from '../session.ts'

/** RPUSHX, DUMP, KEYS, HGETALL, DEL, CLIENT ERRORS, PUBLISH, and what XADD sends with. */
export interface ProducePart extends GatewayPart {
  /**
   * Sends for a connection, in its order per partition, and waits for the broker's acknowledgement (acks=all).
   * @throws ReplyError with the text that RPUSHX would have, `PROD Local: Unknown topic`
   */
  send(session: Session, message: OutgoingMessage): Promise<SendResult>
  /** The last failed deliveries of a connection, newest last: `CLIENT ERRORS`. */
  failures(session: Session): readonly FailedDelivery[]
  /** Keeps a failure that is not a delivery's among them: a refused consumer. */
  recordFailure(session: Session, failure: FailedDelivery): void
}

export interface FailedDelivery {
  readonly topic: string
  readonly key: Buffer | null
  readonly reason: string
  readonly atMs: number
}

export { textOf, texts } from './error-text.ts'
export { openProducePart } from './open-produce-part.ts'
export { isTopicName } from './topic-name.ts'
