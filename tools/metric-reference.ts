import { metricTable, prometheusName } from '../packages/millrace/src/app/metrics/index.ts'

/** `docs/reference/metrics.md`, made from the table of metrics. */
export function metricReference(): string {
  const sections = metricTable.map((row) => {
    const { name, type, about, labels, sources } = row
    const from = sources.map(({ event }) => `\`${event.name}\``).join(', ')
    const facts = [
      kinds[type],
      `labels \`${labels.join('`, `')}\``,
      from === '' ? 'read when somebody asks' : `from ${from}`,
    ]
    return `### ${name}\n\n\`${prometheusName(row)}\`\n\n${about}\n\n- ${facts.join('; ')}`
  })
  return `# Metrics

Made from the table of metrics by \`npm run docs\`. The heading is StatsD's name, behind the prefix; below it stands
Prometheus'. How to switch them on is in [the guide](../guides/metrics.md), what to watch in
[watch these ten](../guides/monitoring.md).

Timers are seconds in Prometheus and milliseconds in StatsD. In StatsD proper the values of the labels stand behind the
name, in the order shown here; DogStatsD has them as tags. \`group\` is Kafka's group id, \`consumer\` the name of the
consumer.

${sections.join('\n\n')}
`
}

const kinds = {
  counter: 'counter',
  gauge: 'gauge',
  timer: 'timer: a histogram in Prometheus',
  sizes: 'bytes: a histogram',
  counts: 'numbers: a histogram',
} as const
