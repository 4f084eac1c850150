import type { Admin, Client, TlsOptions } from '../client/index.ts'
import { failure } from '../errors/index.ts'
import { findRunningDev } from './dev/address-file.ts'

/** The cluster that a command works on, and where its address came from. */
export interface Cluster {
  readonly client: Client
  /** Ends with the command's signal and after `answerMs`. */
  readonly admin: Admin
  readonly brokers: readonly string[]
  /** The variable, file or rule that named it: the heading of `millrace info`. */
  readonly origin: string
  close(): Promise<void>
}

export interface ClusterChoice {
  readonly brokers: string | undefined
  readonly config: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  readonly folder: string
}

export interface ChosenBrokers {
  readonly brokers: readonly string[]
  readonly origin: string
  readonly tls?: TlsOptions
}

/** Somebody waits at a terminal: half a minute of silence helps nobody. */
const answerMs = 10_000
const connectMs = 5000

/**
 * Opens a client and its first connection, so that a wrong address is told at once instead of after many attempts.
 * @throws MR_CLUSTER_UNREACHABLE, MR_CONNECTION_WRONG_PEER; as chooseBrokers
 */
export async function openCluster(choice: ClusterChoice, signal: AbortSignal): Promise<Cluster> {
  const { brokers, origin, tls } = await chooseBrokers(choice)
  const { openAdmin, openClient } = await import('../client/index.ts')
  const client = openClient({
    brokers,
    clientId: 'millrace-cli',
    apiTimeoutMs: answerMs,
    connectTimeoutMs: connectMs,
    ...(tls ? { tls } : {}),
  })
  try {
    await client.connections.connect('any', 'data', { signal })
  } catch (error) {
    await client.close()
    throw error
  }
  return {
    client,
    admin: openAdmin(client, { signal }),
    brokers,
    origin,
    close: () => client.close(),
  }
}

/** Order: --brokers, KAFKA_URL, the configuration file, a `millrace dev` of this folder, localhost:9092. */
export async function chooseBrokers(choice: ClusterChoice): Promise<ChosenBrokers> {
  const { config, env, folder } = choice
  if (choice.brokers !== undefined) return chosen(choice.brokers, '--brokers', env)
  const url = env['KAFKA_URL']
  if (url !== undefined && url !== '') return chosen(url, 'KAFKA_URL', env)
  if (config !== undefined || (await hasConfig(folder))) {
    const { loadConfig } = await import('./load-config.ts')
    const loaded = await loadConfig({ folder, file: config })
    const { brokers = [] } = loaded.config
    if (brokers.length > 0) {
      const { tls } = loaded.config
      const found = chosen([brokers].flat().join(','), loaded.path, env)
      return tls === undefined ? found : { ...found, tls }
    }
  }
  const running = await findRunningDev(folder)
  if (running !== undefined) return { brokers: [running], origin: 'millrace dev' }
  return { brokers: ['localhost:9092'], origin: 'default' }
}

async function hasConfig(folder: string): Promise<boolean> {
  const { findConfig } = await import('./load-config.ts')
  return (await findConfig(folder)) !== undefined
}

function chosen(text: string, origin: string, env: ClusterChoice['env']): ChosenBrokers {
  const { brokers, isTls } = parseBrokers(text, origin)
  return isTls ? { brokers, origin, tls: tlsOf(env) } : { brokers, origin }
}

/**
 * PEM texts in variables, as Heroku sets them. Certificates of such clusters name no hosts, so with a trusted certificate
 * of their own the chain is verified and the host name is not.
 */
function tlsOf(env: ClusterChoice['env']): TlsOptions {
  const ca = env['KAFKA_TRUSTED_CERT']
  const cert = env['KAFKA_CLIENT_CERT']
  const key = env['KAFKA_CLIENT_CERT_KEY']
  return {
    ...(ca === undefined ? {} : { ca, checksHostName: false }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  }
}

const isTlsByScheme: Readonly<Record<string, boolean>> = {
  kafka: false,
  plaintext: false,
  'kafka+ssl': true,
  ssl: true,
}

/**
 * `kafka://a:9092,kafka://b:9092`, `kafka+ssl://a:9096` or plain `a:9092,b`; the port is 9092 unless said.
 * @throws MR_CLI_USAGE
 */
export function parseBrokers(
  text: string,
  origin: string,
): { readonly brokers: readonly string[]; readonly isTls: boolean } {
  const brokers: string[] = []
  const schemes = new Set<boolean>()
  for (const part of text.split(',').map((one) => one.trim())) {
    if (part === '') continue
    const match = /^(?:(\w[\w+]*):\/\/)?(\[[^\]]+\]|[^:/@]+)(?::(\d{1,5}))?\/?$/.exec(part)
    const [, scheme = 'kafka', host, port = '9092'] = match ?? []
    if (host === undefined || Number(port) > 65_535)
      throw failure('MR_CLI_USAGE', {
        reason: `${origin}: ${withoutSecrets(part)} is not host:port`,
      })
    const isTls = isTlsByScheme[scheme]
    if (isTls === undefined)
      throw failure('MR_CLI_USAGE', {
        reason: `${origin}: ${scheme}:// is no scheme of a Kafka cluster; write kafka:// or kafka+ssl://`,
      })
    schemes.add(isTls)
    brokers.push(`${host}:${port}`)
  }
  if (brokers.length === 0)
    throw failure('MR_CLI_USAGE', { reason: `${origin} names no broker; write host:port` })
  if (schemes.size > 1)
    throw failure('MR_CLI_USAGE', { reason: `${origin}: all brokers must use TLS, or none` })
  return { brokers, isTls: schemes.has(true) }
}

/** User and password of an address never reach a message. */
function withoutSecrets(part: string): string {
  return part.replace(/\/\/[^@]*@/, '//***@')
}
