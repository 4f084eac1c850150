import { events } from '../packages/millrace/src/telemetry/index.ts'

/** `docs/reference/events.md`, made from the event table. */
export function eventReference(): string {
  const rows = Object.entries(events)
    .map(([key, { name, about }]) => `- \`${name}\` (\`${methodOf(key)}\`): ${about}`)
    .toSorted()
  return `# Events

Made from the event table by \`npm run docs\`. The list is closed: whatever logs, counts or traces listens to these.

Each travels on Node's diagnostics channel of its name with \`millrace:\` in front, and costs nothing while nobody
listens. In an application, \`monitor.subscribe(name, listener)\` of \`millrace\` listens to one, and
\`monitor.subscribe({ onConsumerFailed, onConsumerRetrying })\` to several, by the methods in brackets; a name that is not
here is refused with the nearest that is. \`monitor.register(name, about)\` adds one of your own. Payloads hold coordinates, sizes, times and errors; keys and values of messages
only where the event is about what was lost with them.

${rows.join('\n')}
`
}

function methodOf(key: string): string {
  return `on${key.charAt(0).toUpperCase()}${key.slice(1)}`
}
