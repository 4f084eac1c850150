import { setOwn } from './line.ts'

const mostPairs = 100
const pair = /([^\s="]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))(?: +|$)/y
const sample = /^(-?\d+(?:\.\d+)?)([A-Za-z%]*)$/

/**
 * The pairs of a line that is logfmt from end to end, or null: prose with one `x=1` in it is not logfmt.
 * `sample#memory_total=99.74MB` becomes `{ value: 99.74, unit: 'MB' }`; all other values stay text.
 */
export function readLogfmt(text: string): Record<string, unknown> | null {
  const line = text.trimEnd()
  if (line === '' || !line.includes('=')) return null
  const fields: Record<string, unknown> = {}
  let pairs = 0
  pair.lastIndex = 0
  while (pair.lastIndex < line.length) {
    const match = pair.exec(line)
    if (!match || ++pairs > mostPairs) return null
    const [, key = '', quoted, bare = ''] = match
    const value = quoted === undefined ? bare : quoted.replaceAll(/\\(.)/g, '$1')
    setOwn(fields, key, key.startsWith('sample#') ? readSample(value) : value)
  }
  return fields
}

function readSample(value: string): unknown {
  const match = sample.exec(value)
  return match ? { value: Number(match[1]), unit: match[2] } : value
}
