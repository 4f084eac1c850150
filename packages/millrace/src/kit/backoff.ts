export interface BackoffRules {
  readonly firstMs: number
  readonly maxMs: number
  /** Growth from one attempt to the next; 1 is a fixed wait. Default 2. */
  readonly factor?: number
  /** Share of the wait that is random, both ways; 0.2 is plus or minus 20 %. Default 0. */
  readonly jitter?: number
}

/**
 * The wait before the next attempt.
 * @param attempt - failed attempts so far, from 1
 * @param random - 0 up to 1, injected by tests
 */
export function backoffMs(rules: BackoffRules, attempt: number, random = Math.random): number {
  const grown = rules.firstMs * (rules.factor ?? 2) ** Math.max(0, attempt - 1)
  const wait = Math.min(grown, rules.maxMs)
  const jitter = rules.jitter ?? 0
  return jitter === 0 ? wait : wait * (1 + jitter * (random() * 2 - 1))
}
