import type { AnyTopic, MillraceConfig } from '../../app/index.ts'

/** Names that the console itself gives; they win over the application's. */
export interface ConsoleTools {
  readonly config: MillraceConfig
  readonly producer: unknown
  readonly send: unknown
  readonly startWorker: unknown
}

/**
 * What is in scope in the console, by name: the boot file's exports, the application's responders and consumers by
 * the names of their classes, its topics by theirs in camel case, and the tools.
 */
export function consoleScope(
  exports: Readonly<Record<string, unknown>>,
  topics: readonly AnyTopic[],
  tools: ConsoleTools,
): ReadonlyMap<string, unknown> {
  const scope = new Map<string, unknown>()
  const add = (name: string, value: unknown): void => {
    if (isIdentifier(name) && !scope.has(name)) scope.set(name, value)
  }
  const { app } = tools.config
  const responders = app?.responders ?? []
  const consumers = app?.consumers ?? []
  for (const [name, value] of Object.entries(tools)) add(name, value)
  for (const [name, value] of Object.entries(exports)) if (name !== 'default') add(name, value)
  for (const responder of responders) add(responder.name, responder)
  for (const consumer of consumers) {
    if (consumer.use) add(consumer.use.name, consumer.use)
    add(`${camel(consumer.name)}Consumer`, consumer)
  }
  for (const topic of topics) add(camel(topic.name), topic)
  add('topics', byName(topics))
  add('consumers', byName(consumers))
  add('responders', byName(responders))
  return scope
}

function byName<T extends { readonly name: string }>(
  list: readonly T[],
): Readonly<Record<string, T>> {
  return Object.fromEntries(list.map((one) => [one.name, one]))
}

/** `user-events.v1` is `userEventsV1`. */
function camel(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9$]+([A-Za-z0-9$]|$)/g, (_, next: string) => next.toUpperCase())
}

function isIdentifier(name: string): boolean {
  return /^[A-Za-z_$][\w$]*$/.test(name)
}
