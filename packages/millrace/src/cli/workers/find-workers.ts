import type { RunningEntry } from '../../app/index.ts'
import { failure } from '../../errors/index.ts'

/**
 * The workers that run in a data folder: all, or those that a name means.
 * @throws MR_WORKER_UNKNOWN for a name that nobody has
 */
export async function findWorkers(
  dataFolder: string,
  asked: string | undefined,
  what: 'status' | 'dump' = 'status',
): Promise<readonly RunningEntry[]> {
  const { internals } = await import('../../app/index.ts')
  const found = await internals.runningWorkers(dataFolder, { asked, what })
  if (found.length > 0 || asked === undefined) return found
  const running = (await internals.runningWorkers(dataFolder)).map(({ name }) => name)
  throw failure('MR_WORKER_UNKNOWN', { name: asked, dataFolder, running })
}

export const nobodyRuns = 'No worker runs in this folder.'
