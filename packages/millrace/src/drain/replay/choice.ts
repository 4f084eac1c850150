import type { RouterRecordFields } from '../record.ts'

/** Request ids of replayed requests begin so; the lines they cause are recognised by it. */
export const replayIdPrefix = 'mrreplay-'

export type SkipReason =
  | 'no-router-line'
  | 'incomplete'
  | 'ambiguous'
  | 'replayed'
  | 'error'
  | 'websocket'
  | 'method'
  | 'path'
  | 'own-host'

/** A request to send. */
export interface ReplayRequest {
  readonly method: string
  /** Encoded, with query. */
  readonly path: string
  /** Of the request that was logged, or made from the message's place. */
  readonly originalId: string
  readonly loggedStatus: number | null
}

export type Choice =
  | { readonly kind: 'send'; readonly request: ReplayRequest }
  | { readonly kind: 'skip'; readonly reason: SkipReason }
  /** The line comes from the host that would be replayed to. */
  | { readonly kind: 'refuse'; readonly host: string }

export interface ChoiceRules {
  readonly methods: ReadonlySet<string>
  /** Host of the target, in lower case, with its port if the URL names one. */
  readonly targetHost: string
  /** What a line means that was logged for the target's own host. */
  readonly originalHost: 'refuse' | 'skip' | 'force'
}

/**
 * What to do with one line. A router line has neither body nor headers, so only requests that need none replay
 * truly; and a line that was caused by a replay must never be replayed, or two sites feed each other for ever.
 *
 * @param place - names the message where a line has no request id; the same on every delivery
 */
export function choose(
  fields: RouterRecordFields | undefined,
  rules: ChoiceRules,
  place: string,
): Choice {
  if (!fields) return skip('no-router-line')
  const id = fields.request_id ?? ''
  if (id.startsWith(replayIdPrefix)) return skip('replayed')
  if (!fields.complete) return skip('incomplete')
  if (fields.ambiguous) return skip('ambiguous')
  const host = (fields.host ?? '').toLowerCase()
  if (rules.originalHost !== 'force' && isSameHost(host, rules.targetHost)) {
    return rules.originalHost === 'skip' ? skip('own-host') : { kind: 'refuse', host }
  }
  if (fields.status === 101) return skip('websocket')
  if (fields.code !== undefined || fields.at === 'error') return skip('error')
  const method = fields.method ?? ''
  if (!rules.methods.has(method)) return skip('method')
  const path = fields.path ?? ''
  if (!path.startsWith('/')) return skip('path')
  const request: ReplayRequest = {
    method,
    path: encodePath(path),
    originalId: id === '' ? place : id,
    loggedStatus: fields.status,
  }
  return { kind: 'send', request }
}

function skip(reason: SkipReason): Choice {
  return { kind: 'skip', reason }
}

/** A logged host may come with or without its port; the name decides unless both have one. */
function isSameHost(logged: string, target: string): boolean {
  if (logged === '' || target === '') return false
  if (logged === target) return true
  const [loggedName, loggedPort] = splitPort(logged)
  const [targetName, targetPort] = splitPort(target)
  return loggedName === targetName && (loggedPort === '' || targetPort === '')
}

function splitPort(host: string): [name: string, port: string] {
  const match = /^(.*?)(?::(\d+))?$/.exec(host)
  return [match?.[1] ?? host, match?.[2] ?? '']
}

/**
 * Routers log paths decoded, so they are encoded again; an escape that is still there is kept. What had been
 * `%2F` cannot be told from `/` any more.
 */
export function encodePath(path: string): string {
  return path
    .toWellFormed()
    .replaceAll(/%(?![0-9a-fA-F]{2})/g, '%25')
    .replaceAll(/[^\x21-\x7e]|["#<>\\^`{|}]/gu, (character) => encodeURIComponent(character))
}
