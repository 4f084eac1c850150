import { defineEvent } from '../define-event.ts'

export const gatewayEvents = {
  gatewayTrimIgnored: defineEvent<{ readonly topic: string }>(
    'gateway.trim.ignored',
    'XADD asked for approximate trimming, which retention does here. Told once a process.',
  ),
  gatewayStreamsCommitFailed: defineEvent<{
    readonly groupId: string
    readonly consumer: string
    readonly error: unknown
  }>(
    'gateway.streams.commit.failed',
    'A Streams consumer could not commit what was acknowledged; it is tried again while it holds the partition.',
  ),
  gatewayTailBroke: defineEvent<{ readonly topic: string; readonly error: unknown }>(
    'gateway.tail.broke',
    'Reading for SUBSCRIBE failed; it goes on at the end of the log a second later.',
  ),
}
