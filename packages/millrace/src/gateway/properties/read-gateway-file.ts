import { failure } from '../../errors/index.ts'
import { nearest } from '../../kit/index.ts'
import type { GatewayOptions, PropertyValues } from '../settings.ts'
import { sectionFaults } from './check.ts'

/** What a configuration file says. */
export interface GatewayFile {
  readonly options: GatewayOptions
  /** `bootstrap.servers` of any section; empty when none has it. */
  readonly brokers: readonly string[]
  /** What whoever starts the gateway should know. */
  readonly notes: readonly string[]
}

const sections = ['general', 'consumer', 'producer'] as const
const ownKeys: readonly (keyof GatewayOptions)[] = [
  'bufferBytes',
  'bufferBytesPerConnection',
  'commandWithin',
  'commandsPerSecond',
  'createTopics',
  'durable',
  'explainErrors',
  'idleAfter',
  'maxConnections',
  'outputBytes',
  'shutdownTimeout',
  'strict',
  'unsentDir',
  'users',
]

/**
 * Reads a configuration in JSON: objects `general`, `consumer` and `producer` with librdkafka's properties, as Rafka has
 * it, and `gateway` with `GatewayOptions`.
 *
 * A file without `gateway` was written for Rafka: keys then choose partitions as they did there, by CRC-32, unless
 * `partitioner` says otherwise.
 *
 * @throws MR_CONFIG_INVALID with every fault
 */
export function readGatewayFile(text: string, name: string): GatewayFile {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw failure('MR_CONFIG_INVALID', { faults: [`${name}: ${reason}`] }, { cause: error })
  }
  if (!isObject(value)) throw failure('MR_CONFIG_INVALID', { faults: [`${name}: no JSON object`] })
  const faults: string[] = []
  for (const key of Object.keys(value)) {
    const known = [...sections, 'gateway']
    if (known.includes(key)) continue
    const near = nearest(key, known)
    faults.push(`${name}: ${key} is unknown${near === undefined ? '' : `; ${near} is meant?`}`)
  }
  const [general, consumer, producer] = sections.map((section) =>
    sectionOf(value, section, name, faults),
  )
  const own = ownOptions(value['gateway'], name, faults)
  if (isSet(consumer, 'enable.auto.commit', ['false', 'f', '0']))
    faults.push(
      `${name}: consumer: enable.auto.commit must be true: acknowledgements are committed`,
    )
  if (isSet(consumer, 'enable.auto.offset.store', ['true', 't', '1']))
    faults.push(`${name}: consumer: enable.auto.offset.store must be false: RPUSH acks stores`)
  if (faults.length > 0) throw failure('MR_CONFIG_INVALID', { faults })

  const isRafka = value['gateway'] === undefined
  const hasPartitioner = [general, producer].some((one) => one?.['partitioner'] !== undefined)
  const takesCrc = isRafka && !hasPartitioner
  const brokers = [general, consumer, producer].flatMap((one) => brokersOf(one)).at(0)
  return {
    options: {
      ...own,
      general: general ?? {},
      consumer: consumer ?? {},
      producer: takesCrc ? { ...producer, partitioner: 'consistent_random' } : (producer ?? {}),
    },
    brokers: brokers?.split(',').map((one) => one.trim()) ?? [],
    notes: takesCrc
      ? [
          `${name} names no partitioner: keys choose partitions by CRC-32 (consistent_random), as in Rafka`,
        ]
      : [],
  }
}

function sectionOf(
  value: Readonly<Record<string, unknown>>,
  section: string,
  name: string,
  faults: string[],
): PropertyValues | undefined {
  const found = value[section]
  if (found === undefined) return undefined
  if (!isObject(found)) {
    faults.push(`${name}: ${section} is no object`)
    return undefined
  }
  const values: Record<string, string | number | boolean> = {}
  for (const [key, one] of Object.entries(found)) {
    if (typeof one === 'string' || typeof one === 'number' || typeof one === 'boolean')
      values[key] = one
    else faults.push(`${name}: ${section}: ${key} is neither text, number, true nor false`)
  }
  faults.push(...sectionFaults(`${name}: ${section}`, values))
  return values
}

function ownOptions(value: unknown, name: string, faults: string[]): GatewayOptions {
  if (value === undefined) return {}
  if (!isObject(value)) {
    faults.push(`${name}: gateway is no object`)
    return {}
  }
  for (const key of Object.keys(value)) {
    if ((ownKeys as readonly string[]).includes(key)) continue
    const near = nearest(key, ownKeys)
    faults.push(
      `${name}: gateway.${key} is unknown${near === undefined ? '' : `; ${near} is meant?`}`,
    )
  }
  return value
}

function brokersOf(values: PropertyValues | undefined): string[] {
  const found = values?.['bootstrap.servers'] ?? values?.['metadata.broker.list']
  return found === undefined || found === '' ? [] : [String(found)]
}

function isSet(
  values: PropertyValues | undefined,
  name: string,
  texts: readonly string[],
): boolean {
  const value = values?.[name]
  return value !== undefined && texts.includes(String(value))
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
