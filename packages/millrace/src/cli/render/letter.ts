import type { Letter } from '../../app/index.ts'
import type { ClientMessage } from '../../client/index.ts'
import { labelled } from '../text.ts'

/** A dead letter for people: what happened, then its headers, then the stack, then the value. */
export function letterText(raw: ClientMessage, letter: Letter, maxLength: number): string {
  const { headers, topic, partition, offset, timestamp, value } = raw
  const text = (name: string): string | undefined =>
    headers.findLast(([own]) => own === `millrace-${name}`)?.[1]?.toString()
  const time = (name: string): string | undefined => {
    const written = text(name)
    return written === undefined ? undefined : new Date(Number(written)).toISOString()
  }
  const { sourceTopic, sourcePartition, sourceOffset } = letter
  const source =
    sourceTopic === undefined ? undefined : `${sourceTopic}/${sourcePartition}@${sourceOffset}`
  const facts = labelled(
    `${topic}/${partition}@${offset}`,
    [
      ['Died', new Date(timestamp).toISOString()],
      ['From', source],
      ['Group', letter.group],
      ['Consumer', letter.consumer],
      ['Reason', letter.reason],
      ['Error', [letter.errorClass, letter.errorCode].filter(Boolean).join(' ') || undefined],
      ['Message', letter.errorMessage],
      ['Attempts', letter.attempts?.toString()],
      ['First failed', time('first-failed-at')],
      ['Worker', text('worker')],
      ['Id', letter.id],
      ['Trace', text('trace-id')],
      ['Redrives', String(letter.redrives)],
      ['Key', letter.key ?? 'none'],
    ],
    { isAligned: true },
  )
  const own = headers.flatMap(([name, bytes]) =>
    name.startsWith('millrace-') ? [] : [`${name}: ${bytes?.toString() ?? 'null'}`],
  )
  const parts = [facts]
  if (own.length > 0) parts.push(`Headers\n${own.map((line) => `  ${line}`).join('\n')}`)
  const stack = text('error-stack')
  if (stack !== undefined) parts.push(`Stack\n${indented(stack)}`)
  parts.push(`Value (${value === null ? 'null' : `${value.length} bytes`})`)
  if (value !== null) parts.push(shown(value, maxLength))
  return parts.join('\n\n')
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${line.trim()}`)
    .join('\n')
}

/** Text as it is, anything else in hex; cut where the user said. */
function shown(value: Buffer, maxLength: number): string {
  const isText = Buffer.from(value.toString('utf8'), 'utf8').equals(value)
  const cut = maxLength > 0 && value.length > maxLength ? value.subarray(0, maxLength) : value
  const text = isText ? cut.toString('utf8') : cut.toString('hex')
  return cut.length === value.length ? text : `${text}…`
}
