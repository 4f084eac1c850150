import type { Relay } from '../app/index.ts'
import { failure } from '../errors/index.ts'
import type { CommandContext } from './command.ts'

/** Time for what is printed to leave. */
const lastWordsMs = 100

/**
 * Calls back with the outbox of the configuration: the one whose relay is listed in `runnables`.
 *
 * @param table - which, where there are several
 * @throws MR_OUTBOX_NOT_DECLARED
 */
export async function withOutbox<R>(
  { folder, globals }: CommandContext,
  table: string | undefined,
  run: (outbox: Relay['store']) => Promise<R>,
): Promise<R> {
  const { loadConfig } = await import('./load-config.ts')
  const { config } = await loadConfig({ folder, file: globals.config })
  const stores = (config.app?.runnables ?? [])
    .filter((one): one is Relay => (one as Partial<Relay>).kind === 'outbox-relay')
    .map(({ store }) => store)
  const [only, other] = stores.filter(({ name }) => table === undefined || name === table)
  if (only === undefined || other !== undefined) {
    const found = stores.map(({ name }) => name)
    const named = table === undefined ? {} : { named: table }
    throw failure('MR_OUTBOX_NOT_DECLARED', { found, ...named })
  }
  try {
    return await run(only)
  } finally {
    // The database that the configuration has opened is not ours to close, and must not hold the command.
    setTimeout(() => process.exit(), lastWordsMs).unref()
  }
}

/** UUIDs, since what is none can be no row, and Postgres would say so in its own words. */
export function idsNamed(ids: readonly string[]): readonly string[] {
  const odd = ids.find((id) => !/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id))
  if (odd !== undefined) throw failure('MR_CLI_USAGE', { reason: `${odd} is not the id of a row` })
  return ids
}
