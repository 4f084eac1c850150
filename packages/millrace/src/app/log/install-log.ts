import type { Logger } from '../ports.ts'
import { Commits } from './commits.ts'
import type { Line, LogMemory } from './define-line.ts'
import { logLines } from './lines/index.ts'
import { Prefixes } from './prefixes.ts'

export interface LogRules {
  readonly groupIds: ReadonlySet<string>
  readonly clientId: string
  /** In development messages are told one by one at info. */
  readonly isDevelopment: boolean
  readonly level: string
}

const weights: Readonly<Record<string, number>> = {
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  silent: 99,
}

/**
 * Writes log lines from events: the only place where Millrace logs. A line below the level is not subscribed to, so
 * it costs nothing. Returns what ends the subscriptions.
 */
export function installLog(logger: Logger, rules: LogRules): () => void {
  const prefixes = new Prefixes()
  const memory: LogMemory = { commits: new Commits(), told: new WeakSet() }
  const least = weights[rules.level] ?? 30
  const ends: (() => void)[] = [prefixes.follow()]
  for (const { event, level: written, write } of logLines) {
    const level = levelOf(written, rules)
    if ((weights[level] ?? 0) < least) continue
    const listener = (payload: object): void => {
      if (!isOurs(payload, rules)) return
      const line = write(payload, memory)
      if (line === undefined) return
      const [text, fields] = line
      const prefix = prefixes.of(payload)
      logger[level]({ ...prefix.fields, ...placeOf(payload), ...fields }, `${prefix.text}${text}`)
    }
    ends.push(event.subscribe(listener))
  }
  return () => {
    for (const end of ends) end()
  }
}

function levelOf(
  level: Line['level'],
  { isDevelopment }: LogRules,
): Exclude<Line['level'], 'development'> {
  if (level !== 'development') return level
  return isDevelopment ? 'info' : 'debug'
}

/** Whose partition a line is about, for programs that read lines. */
function placeOf(payload: object): object | undefined {
  if (!('consumer' in payload && 'partition' in payload && 'topic' in payload)) return undefined
  const { consumer, topic, partition } = payload
  return { consumer, topic, partition }
}

/** Events of other workers in the process are not ours to tell. */
function isOurs(payload: object, { groupIds, clientId }: LogRules): boolean {
  if ('groupId' in payload) return groupIds.has(payload.groupId as string)
  if ('clientId' in payload) return payload.clientId === clientId
  return true
}
