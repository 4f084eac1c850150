import { internals, resolveConfig } from '../../app/index.ts'
import type { Admin, Client } from '../../client/index.ts'
import { chooseBrokers } from '../cluster.ts'
import type { CommandContext } from '../command.ts'
import { loadConfig } from '../load-config.ts'

/** What one cluster shall have, and what it has. */
export interface DeclaredCluster {
  readonly client: Client
  readonly admin: Admin
  readonly wanted: readonly internals.WantedTopic[]
  readonly found: ReadonlyMap<string, internals.FoundTopic>
}

export interface Declared extends AsyncDisposable {
  readonly clusters: readonly DeclaredCluster[]
}

/** The declarations of the boot file beside the clusters that they are for. */
export async function openDeclared({
  cluster,
  env,
  folder,
  globals,
  signal,
}: CommandContext): Promise<Declared> {
  const { config } = await loadConfig({ folder, file: globals.config })
  const { brokers, origin, tls } = await chooseBrokers({ ...globals, env, folder })
  const resolved = resolveConfig(
    { ...config, ...(tls ? { tls } : {}) },
    // `millrace dev` runs all topics on its one broker.
    { env, flags: { brokers }, isSingleCluster: origin === 'millrace dev' },
  )
  const { openAdmin, openClient } = await import('../../client/index.ts')
  await using opened = new AsyncDisposableStack()
  const byCluster = Map.groupBy(internals.wantedTopics(resolved), (one) => one.cluster)
  const clusters: DeclaredCluster[] = []
  for (const { name, brokers: addresses, tls: ownTls } of resolved.clusters) {
    const wanted = byCluster.get(name)
    if (wanted === undefined) continue
    const isMain = clusters.length === 0 && name === 'main'
    const client = isMain
      ? (await cluster()).client
      : opened.use(
          openClient({
            brokers: addresses,
            clientId: 'millrace-cli',
            ...(ownTls ? { tls: ownTls } : {}),
          }),
        )
    const admin = openAdmin(client, { signal })
    clusters.push({ client, admin, wanted, found: await internals.findTopics(admin, wanted) })
  }
  const owned = opened.move()
  return { clusters, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
