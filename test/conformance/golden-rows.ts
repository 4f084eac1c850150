import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

const folder = new URL('./fixtures/wire/', import.meta.url)

/** The rows of a golden file (`fixtures/wire/README.md`); the caller asserts the shape it reads. */
export function goldenRows(name: string): readonly unknown[] {
  const text = gunzipSync(readFileSync(new URL(`${name}.ndjson.gz`, folder))).toString()
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)
}

export function goldenJson(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'))
}
