import type { KeptPause } from '../../app/index.ts'
import { failure } from '../../errors/index.ts'
import { parsePlace } from '../parse-places.ts'
import type { Printer } from '../printer.ts'
import { findWorkers } from './find-workers.ts'

/** The pauses of a folder after a change, and the workers that were told. */
export async function changePauses(
  dataFolder: string,
  places: readonly string[],
  group: string | undefined,
  change: 'add' | 'remove',
  print: Printer,
): Promise<void> {
  const { internals } = await import('../../app/index.ts')
  const wanted = places.flatMap((place) => pausesOf(place, group))
  let pauses = await internals.readPauses(dataFolder)
  const alter = change === 'add' ? internals.addPause : internals.removePause
  for (const one of wanted) pauses = alter(pauses, one)
  await internals.writePauses(dataFolder, pauses)
  const workers = await findWorkers(dataFolder, undefined)
  for (const worker of workers) await internals.askWorker(worker, { do: 'reload' })
  const told = workers.map(({ name }) => name)
  if (told.length === 0) print.talk('No worker runs in this folder; the next one will know.')
  await print.document({ pauses, told }, () =>
    pauses.length === 0 ? 'Nothing is paused.' : `Paused: ${pauses.map(pauseText).join(', ')}`,
  )
}

function pausesOf(place: string, group: string | undefined): readonly KeptPause[] {
  const { topic, partitions } = parsePlace(place)
  const of = group === undefined ? {} : { group }
  if (partitions === undefined) return [{ topic, ...of }]
  if (partitions.size === 0)
    throw failure('MR_CLI_USAGE', { reason: `${place} names no partition` })
  return Array.from(partitions, (partition) => ({ topic, partition, ...of }))
}

function pauseText({ topic, partition, group }: KeptPause): string {
  const place = partition === undefined ? topic : `${topic}:${partition}`
  return group === undefined ? place : `${place} of ${group}`
}
