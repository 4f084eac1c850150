import { createContext, Script } from 'node:vm'

/** How long all topics may be looked at. An expression of a peer may take years on a name of thirty letters. */
const matchWithinMs = 50

const context = createContext({ patterns: [], names: [] })
const script = new Script('names.filter((name) => patterns.some((pattern) => pattern.test(name)))')

/** The regular expressions of a topic list. @throws SyntaxError */
export function patternsOf(topics: readonly string[]): readonly RegExp[] {
  return topics.filter((topic) => topic.startsWith('^')).map((topic) => new RegExp(topic))
}

/**
 * Names that match one of the patterns; undefined when that could not be told in time. The loop is held for that long
 * at most, which nothing but a script's timeout can promise of an expression.
 */
export function matching(
  patterns: readonly RegExp[],
  names: readonly string[],
): readonly string[] | undefined {
  context['patterns'] = patterns
  context['names'] = names
  try {
    return script.runInContext(context, { timeout: matchWithinMs }) as string[]
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return undefined
    throw error
  } finally {
    context['patterns'] = []
    context['names'] = []
  }
}
