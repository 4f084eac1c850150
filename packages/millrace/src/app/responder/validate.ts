import type { AnyTopic } from '../topic/define-topic.ts'
import type { ResponderSource } from './responder.ts'

/** What was written in place of a responder, and two that a consumer could not tell apart by name. */
export function responderFaults(responders: readonly ResponderSource[]): string[] {
  const faults: string[] = []
  const classNames = new Set<string>()
  for (const [index, responder] of responders.entries()) {
    const path = `app.responders[${index}]`
    const written = responder as Partial<ResponderSource> | null
    if (typeof written?.call !== 'function' || typeof written.topics !== 'object') {
      faults.push(
        `${path}: is neither a class of ApplicationResponder nor what defineResponder returns`,
      )
      continue
    }
    for (const [name, rule] of Object.entries(written.topics)) {
      const topic = (rule as { readonly topic?: AnyTopic }).topic ?? rule
      if ((topic as Partial<AnyTopic> | undefined)?.kind !== 'topic')
        faults.push(`${path}.topics.${name}: is not what defineTopic returns`)
    }
    if (typeof responder !== 'function') continue
    if (classNames.has(responder.name))
      faults.push(`${path}: another responder is called ${responder.name} as well`)
    classNames.add(responder.name)
  }
  return faults
}
