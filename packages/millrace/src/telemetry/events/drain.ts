import { defineEvent } from '../define-event.ts'

export const drainEvents = {
  drainBody: defineEvent<{
    readonly source: string
    readonly frames: number
    readonly bytes: number
    /** What became of it: taken, duplicate, unreadable, late or failed. */
    readonly verdict: string
    readonly ms: number
  }>('drain.body', 'The drain answered a body of log frames.'),
  drainRefused: defineEvent<{ readonly status: number; readonly reason: string }>(
    'drain.refused',
    'The drain refused a request before it read the body.',
  ),
  drainWriteFailed: defineEvent<{ readonly error: unknown }>(
    'drain.write-failed',
    'The broker did not take a line; the sender is asked to come again.',
  ),
  drainRebuilt: defineEvent<{ readonly messages: number; readonly frames: number }>(
    'drain.rebuilt',
    'The drain knows again which frames its predecessor took.',
  ),
  routesApplied: defineEvent<{
    readonly topic: string
    readonly partition: number
    readonly lines: number
    readonly from: number
    readonly to: number
  }>('routes.applied', 'A batch of router lines was added to the route metrics.'),
  routesFenced: defineEvent<{
    readonly topic: string
    readonly partition: number
    readonly from: number
    readonly position: number
  }>('routes.fenced', 'A batch began elsewhere than the store stands; it is cut again.'),
  routesRebuilding: defineEvent<{ readonly topic: string; readonly partition: number }>(
    'routes.rebuilding',
    'The store of the route metrics is empty although the group has commits: counting from the start of the topic.',
  ),
  replaySent: defineEvent<{
    readonly status: number | null
    readonly loggedStatus: number | null
    readonly ms: number
    readonly lateMs: number
  }>('replay.sent', 'A logged request was sent again; status null means that no answer came.'),
  replaySkipped: defineEvent<{ readonly reason: string }>(
    'replay.skipped',
    'A router line was not replayed.',
  ),
  replayPaused: defineEvent<{ readonly target: string; readonly forMs: number }>(
    'replay.paused',
    'Half of the last requests failed: the replay waits for its target.',
  ),
}
