import type { Client } from '../../client/index.ts'
import { systemClock } from '../../kit/index.ts'
import type { MillraceConfig } from '../config/define-config.ts'
import { resolveConfig } from '../config/resolve-config.ts'
import { lettersOfApp } from '../dead-letter/index.ts'
import { openAppClients } from '../produce/open-producer.ts'
import type { RedriveOptions, RedriveReport } from './options.ts'
import { runRedrive } from './redrive.ts'

/**
 * Sends dead letters back to where they came from, or elsewhere: key, value and their own headers as they were, the failure
 * renamed to `millrace-last-…`, `millrace-redrives` one higher. By default only consumers of the group that gave them up handle
 * the copies. Letters stay where they are.
 *
 * A job's progress is the committed offset of a group of its own, recorded after each batch: a job that was killed or cancelled
 * goes on there when it is started again, and may send one batch twice (with the same `millrace-id`). One run of a job at a time.
 *
 * @param target - a configuration, whose topic names are the declared ones; or a client, with the names on the wire
 * @throws MR_TOPIC_UNKNOWN, MR_APP_REDRIVE_OPTIONS, MR_APP_REDRIVE_STOPPED
 * @example
 * const { chosen } = await redrive(config, { from: 'users-dlt', where: { error: 'ECONNREFUSED' }, dryRun: true })
 */
export async function redrive(
  target: MillraceConfig | Client,
  options: RedriveOptions,
): Promise<RedriveReport> {
  if (isClient(target)) return runRedrive(target, options)
  const resolved = resolveConfig(target, { env: process.env })
  const { wireName, clusterOf, app } = resolved
  await using clients = openAppClients(resolved, options.clock ?? systemClock)
  const { from, to } = options
  // A dead letter topic lies on the cluster of its source.
  const letters = lettersOfApp(app).flatMap((one) => one.letters)
  const source = letters.find(({ topic }) => topic === from)?.source ?? from
  // Awaited here: the clients are closed when this returns.
  return await runRedrive(clients.of(clusterOf(source)), {
    ...options,
    from: wireName(from),
    ...(to === undefined ? {} : { to: wireName(to) }),
  })
}

function isClient(target: MillraceConfig | Client): target is Client {
  return 'admin' in target && 'reader' in target
}

export { errorOf, isChosen } from './choose.ts'
export { readLetter, type Letter } from './letter.ts'
export type { LetterChoice, RedriveOptions, RedriveProgress, RedriveReport } from './options.ts'
