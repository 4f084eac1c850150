import { nearest, parseDuration, parseSize } from '../kit/index.ts'

export type OptionType = 'text' | 'number' | 'flag' | 'duration' | 'size' | 'list'

/** One option: flag, environment variable, file key, documentation and `millrace config` all come from this row. */
export interface OptionRow {
  readonly type: OptionType
  /** In the option's own writing (`'30s'`, `'64MiB'`); undefined means unset. */
  readonly default?: string | number | boolean | readonly string[]
  readonly choices?: readonly string[]
  readonly env?: string
  readonly flag?: string
  readonly about: string
  /** Never printed. */
  readonly secret?: boolean
}

export type OptionTable = Readonly<Record<string, OptionRow>>

type ValueOf<T extends OptionType> = T extends 'flag'
  ? boolean
  : T extends 'number' | 'duration' | 'size'
    ? number
    : T extends 'list'
      ? readonly string[]
      : string

/** Values by key: durations in milliseconds, sizes in bytes, lists split at commas. Unset options without a default are undefined. */
export type OptionValues<T extends OptionTable> = {
  readonly [K in keyof T]: T[K] extends {
    readonly default: string | number | boolean | readonly string[]
  }
    ? ValueOf<T[K]['type']>
    : ValueOf<T[K]['type']> | undefined
}

export type Origin = 'flag' | 'env' | 'file' | 'default' | 'unset'

export interface OptionSources {
  readonly flags?: Readonly<Record<string, unknown>>
  readonly env?: Readonly<Record<string, string | undefined>>
  /** The configuration file's object; nested keys (`{ fetch: { buffered } }`) and dotted ones both work. */
  readonly file?: Readonly<Record<string, unknown>>
}

export interface ResolvedOptions<T extends OptionTable> {
  readonly values: OptionValues<T>
  readonly origins: Readonly<Record<keyof T, Origin>>
  /** Each with its path and rule. Empty means usable. */
  readonly faults: readonly string[]
}

export function defineOptions<const T extends OptionTable>(table: T): T {
  return table
}

/**
 * Values for a table. Order: flag, environment, file, default. All faults are collected, none thrown.
 * Keys of the file that the table does not know are faults, with the nearest known key.
 */
export function resolveOptions<const T extends OptionTable>(
  table: T,
  sources: OptionSources,
): ResolvedOptions<T> {
  const values: Record<string, unknown> = {}
  const origins: Record<string, Origin> = {}
  const faults: string[] = []
  const file = flatten(sources.file ?? {}, table)

  for (const key of Object.keys(file)) {
    if (key in table) continue
    const near = nearest(key, Object.keys(table))
    faults.push(`${key}: there is no such option${near ? `; did you mean ${near}?` : ''}`)
  }
  for (const [key, row] of Object.entries(table)) {
    const [raw, origin] = pick(key, row, sources, file)
    const parsed = raw === undefined ? undefined : parse(row, raw)
    if (parsed instanceof Fault) faults.push(`${where(key, row, origin)}: ${parsed.text}`)
    values[key] = parsed instanceof Fault ? undefined : parsed
    origins[key] = origin
  }
  return {
    values: values as OptionValues<T>,
    origins: origins as Record<keyof T, Origin>,
    faults,
  }
}

class Fault {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

function pick(
  key: string,
  row: OptionRow,
  sources: OptionSources,
  file: Readonly<Record<string, unknown>>,
): [unknown, Origin] {
  const flag = sources.flags?.[key]
  if (flag !== undefined) return [flag, 'flag']
  const fromEnv = row.env === undefined ? undefined : sources.env?.[row.env]
  if (fromEnv !== undefined && fromEnv !== '') return [fromEnv, 'env']
  if (file[key] !== undefined) return [file[key], 'file']
  return row.default === undefined ? [undefined, 'unset'] : [row.default, 'default']
}

function where(key: string, row: OptionRow, origin: Origin): string {
  if (origin === 'flag') return row.flag ?? key
  if (origin === 'env') return row.env ?? key
  return key
}

function parse(row: OptionRow, raw: unknown): unknown {
  switch (row.type) {
    case 'text': {
      const text = String(raw)
      if (row.choices && !row.choices.includes(text))
        return new Fault(`${text} is not one of ${row.choices.join(', ')}`)
      return text
    }
    case 'number': {
      const number = typeof raw === 'number' ? raw : Number(raw)
      return Number.isFinite(number) ? number : new Fault(`${String(raw)} is not a number`)
    }
    case 'flag': {
      if (typeof raw === 'boolean') return raw
      if (['true', '1', 'yes', 'on'].includes(String(raw))) return true
      if (['false', '0', 'no', 'off'].includes(String(raw))) return false
      return new Fault(`${String(raw)} is neither true nor false`)
    }
    case 'duration':
      return (
        parseDuration(raw as string) ??
        new Fault(`${String(raw)} is not a duration; write 500ms, 30s, 5m, 2h or 7d`)
      )
    case 'size':
      return (
        parseSize(raw as string) ?? new Fault(`${String(raw)} is not a size; write 64MiB or 1GB`)
      )
    case 'list':
      if (Array.isArray(raw)) return raw.map(String)
      return String(raw)
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '')
  }
}

/** `{ fetch: { buffered: 1 } }` and `{ 'fetch.buffered': 1 }` give the same. */
function flatten(
  object: Readonly<Record<string, unknown>>,
  table: OptionTable,
  prefix = '',
): Record<string, unknown> {
  const flat: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(object)) {
    const key = prefix === '' ? name : `${prefix}.${name}`
    const isSection =
      typeof value === 'object' && value !== null && !Array.isArray(value) && !(key in table)
    if (isSection) Object.assign(flat, flatten(value as Record<string, unknown>, table, key))
    else if (value !== undefined) flat[key] = value
  }
  return flat
}
