import { formatSize } from '../../../kit/index.ts'
import { events } from '../../../telemetry/index.ts'
import { reasonOf } from '../../owner/describe.ts'
import { defineLine, seconds, type Line } from '../define-line.ts'

/** Lines about what stands around the handlers: endpoint, control socket, children. */
export const processLines: readonly Line[] = [
  defineLine(events.healthListening, 'info', ({ host, port }) => [
    `Health on http://${host.includes(':') ? `[${host}]` : host}:${port}/healthz and /readyz`,
  ]),
  defineLine(events.controlUnavailable, 'warn', ({ dataFolder, error }) => [
    `No control socket in ${dataFolder}: ${reasonOf(error)}`,
  ]),
  defineLine(events.lagUnknown, 'debug', ({ groupId, error }) => [
    `The lag of ${groupId} is unknown: ${reasonOf(error)}`,
  ]),
  defineLine(events.appSupervising, 'info', ({ pid }) => [`Parent ${pid} supervises its workers`]),
  defineLine(events.topicsDiffer, 'warn', ({ differences }) => [
    `The cluster is not as declared: ${differences.join('; ')} (millrace topics plan)`,
  ]),
  defineLine(events.topicsUnchecked, 'debug', ({ error }) => [
    `Declared topics could not be compared: ${reasonOf(error)}`,
  ]),
  defineLine(events.topicMatched, 'info', ({ pattern, topic }) => [
    `The pattern ${pattern} takes ${topic}`,
  ]),
  defineLine(events.childEnded, 'info', ({ code, ...child }) =>
    code === 0 ? [ended({ code, ...child })] : undefined,
  ),
  defineLine(events.childEnded, 'error', ({ code, ...child }) =>
    code === 0 ? undefined : [ended({ code, ...child })],
  ),
  defineLine(events.childKilled, 'error', ({ name, pid, silentMs }) => [
    `Killed ${name} (${pid}): it told nothing for ${seconds(silentMs)}`,
  ]),
  defineLine(events.childKiller, 'error', ({ name, topic, partition, offset, crashes }) => [
    `${topic}/${partition}:${offset} has ended ${name} ${crashes} times; it is handed to no handler any more`,
  ]),
  defineLine(events.childTooLarge, 'warn', ({ name, memoryBytes, limitBytes }) => [
    `${name} takes ${formatSize(memoryBytes)} of ${formatSize(limitBytes)}; starting it anew`,
  ]),
]

function ended({
  name,
  code,
  signal,
  lastedMs,
  restartInMs,
}: {
  readonly name: string
  readonly code: number | null
  readonly signal: string | null
  readonly lastedMs: number
  readonly restartInMs: number | undefined
}): string {
  const how = signal === null ? `with code ${code ?? 'none'}` : `by ${signal}`
  const next =
    restartInMs === undefined
      ? ''
      : restartInMs === 0
        ? '; starting it anew'
        : `; starting it again in ${seconds(restartInMs)}`
  return `${name} ended ${how} after ${seconds(lastedMs)}${next}`
}
