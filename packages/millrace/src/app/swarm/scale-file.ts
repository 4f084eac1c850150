import type { Node, Pair } from 'yaml'

import { nearest } from '../../kit/index.ts'

export interface ScaledWorker {
  /** As the application names it. */
  readonly consumer: string
  /** `price_drops:1`, by the name in the file. */
  readonly name: string
}

export interface ScaleFile {
  /** One an instance, in the order of the file. */
  readonly workers: readonly ScaledWorker[]
  readonly faults: readonly string[]
}

interface Row {
  readonly name: string
  readonly scale: unknown
  readonly line: number
}

const mostInstances = 1000

/**
 * Which consumers run in how many processes: `price_drops: 2`, a list of `{ name, scale }`, or either under
 * `consumers`. A scale of 0 and a consumer that is not named are off; `_` and `-` are the same.
 */
export async function readScaleFile(
  text: string,
  path: string,
  consumers: readonly string[],
): Promise<ScaleFile> {
  // Loaded by those who have such a file.
  const yaml = await import('yaml')
  const lines = new yaml.LineCounter()
  const document = yaml.parseDocument(text, { lineCounter: lines, uniqueKeys: false })
  const lineOf = (offset: number): number => lines.linePos(offset).line
  const faults = document.errors.map(
    ({ pos, message }) => `${path}:${lineOf(pos[0])}: ${message.split('\n', 1)[0]}`,
  )
  if (faults.length > 0) return { workers: [], faults }
  const rows = rowsOf(document.contents, lineOf, yaml)
  if (rows === undefined)
    return {
      workers: [],
      faults: [
        `${path}: is neither names with scales, as price_drops: 2, nor a list of name and scale`,
      ],
    }
  const workers: ScaledWorker[] = []
  const seen = new Map<string, number>()
  for (const { name, scale, line } of rows) {
    const at = `${path}:${line}`
    const key = plain(name)
    const consumer = consumers.find((one) => plain(one) === key)
    if (consumer === undefined) {
      const near = nearest(name, consumers)
      faults.push(`${at}: there is no consumer ${name}${near ? `; did you mean ${near}?` : ''}`)
    }
    const before = seen.get(key)
    if (before !== undefined) faults.push(`${at}: ${name} stands in line ${before} already`)
    seen.set(key, before ?? line)
    if (!isScale(scale)) {
      faults.push(
        `${at}: ${name} has the scale ${String(scale)}; write a number from 0 to ${mostInstances}`,
      )
      continue
    }
    if (consumer === undefined || before !== undefined) continue
    for (let instance = 1; instance <= scale; instance++)
      workers.push({ consumer, name: `${name}:${instance}` })
  }
  return { workers: faults.length > 0 ? [] : workers, faults }
}

type Yaml = Pick<typeof import('yaml'), 'isMap' | 'isScalar' | 'isSeq'>

function rowsOf(
  contents: unknown,
  lineOf: (offset: number) => number,
  yaml: Yaml,
): readonly Row[] | undefined {
  const { isMap, isScalar, isSeq } = yaml
  const valueOf = (node: unknown): unknown => (isScalar(node) ? node.value : undefined)
  const textOf = (node: unknown): string => {
    const value = valueOf(node)
    return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
  }
  if (contents === null || (isScalar(contents) && contents.value === null)) return []
  if (isSeq(contents))
    return (contents.items as readonly Node[]).map((item) => ({
      name: isMap(item) ? textOf(item.get('name', true)) : textOf(item),
      scale: isMap(item) ? valueOf(item.get('scale', true)) : undefined,
      line: lineOf(item.range?.[0] ?? 0),
    }))
  if (!isMap(contents)) return undefined
  const pairs = contents.items as readonly Pair<Node, Node | null>[]
  const [only, ...others] = pairs
  const isSection = others.length === 0 && textOf(only?.key) === 'consumers'
  if (isSection && typeof valueOf(only?.value) !== 'number')
    return rowsOf(only?.value ?? null, lineOf, yaml)
  return pairs.map(({ key, value }) => ({
    name: textOf(key),
    scale: isMap(value) ? valueOf(value.get('scale', true)) : valueOf(value),
    line: lineOf(key.range?.[0] ?? 0),
  }))
}

function isScale(scale: unknown): scale is number {
  return (
    typeof scale === 'number' && Number.isInteger(scale) && scale >= 0 && scale <= mostInstances
  )
}

function plain(name: string): string {
  return name.replaceAll('_', '-')
}
