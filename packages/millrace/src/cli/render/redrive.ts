import type { RedriveReport } from '../../app/index.ts'
import { columns, counted, labelled } from '../text.ts'

/** What a redrive would do, or has done. */
export function redriveText(report: RedriveReport): string {
  const { from, job, isDryRun, read, chosen, sent, byError, byTarget, byGroup, sample } = report
  const parts = [
    labelled(
      from,
      [
        ['Read', counted(read, 'letter')],
        ['Chosen', counted(chosen, 'letter')],
        [isDryRun ? 'Would send' : 'Sent', counted(isDryRun ? sending(report) : sent, 'message')],
        ['To', listed(byTarget.map(({ topic, count }) => `${topic} (${count})`))],
        ['For', listed(byGroup.map(({ group, count }) => `${group} (${count})`))],
        ['Job', job],
      ],
      { isAligned: true },
    ),
  ]
  if (byError.length > 0) parts.push(columns(byError.map(({ error, count }) => ({ error, count }))))
  if (isDryRun && sample.length > 0) {
    const rows = sample.map(({ partition, offset, errorMessage, key, redrives }) => ({
      at: `${partition}:${offset}`,
      key: key ?? '-',
      redrives,
      message: firstLine(errorMessage ?? '-'),
    }))
    parts.push(`The first ${rows.length === 1 ? 'one' : rows.length}:\n${columns(rows)}`)
  }
  return parts.join('\n\n')
}

function sending({ chosen, withoutTarget }: RedriveReport): number {
  return chosen - withoutTarget
}

function listed(words: readonly string[]): string | undefined {
  return words.length === 0 ? undefined : words.join(', ')
}

function firstLine(text: string): string {
  const line = text.split('\n', 1)[0] ?? ''
  return line.length > 80 ? `${line.slice(0, 79)}…` : line
}
