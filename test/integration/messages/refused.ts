import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { runCli, type CliOptions } from '../cli/run-cli.ts'

export interface Refusal {
  readonly code: string
  /** Exit code; default 1. */
  readonly exit?: number
  /** What happened, and where. */
  readonly message: RegExp
  /** What to do. */
  readonly hint: RegExp
}

/** A command fails with one message that says what to do, for people and, under `--json`, for machines. */
export async function isRefused(
  args: readonly string[],
  { code, exit = 1, message, hint }: Refusal,
  options: CliOptions = {},
): Promise<void> {
  // One after the other: two that want the same data folder would refuse each other.
  const text = await runCli(args, options)
  const json = await runCli([...args, '--json'], options)
  const shown = `millrace ${args.join(' ')}\n${text.stderr}${text.stdout}`
  assert.equal(text.code, exit, shown)
  assert.match(text.stderr, message, shown)
  assert.match(text.stderr, hint, shown)
  assert.equal(text.stderr.split(`(${code};`).length, 2, `${code} once in ${shown}`)
  assert.doesNotMatch(text.stderr, /^\s+at .+:\d+/m, `a stack: ${shown}`)
  assert.equal(text.stdout, '', shown)

  assert.equal(json.code, exit)
  assert.equal(json.stdout, '')
  const document = JSON.parse(json.stderr.trim().split('\n').at(-1) ?? '') as Readonly<
    Record<string, unknown>
  >
  assert.equal(document['code'], code)
  assert.match(String(document['message']), message)
  assert.match(String(document['hint']), hint)
}

export interface Folder extends AsyncDisposable {
  readonly path: string
  readonly at: (name: string) => string
}

/** An empty folder, with these files in it. */
export async function folderWith(files: Readonly<Record<string, string>> = {}): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'millrace-messages-'))
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text)
  return {
    path,
    at: (name) => join(path, name),
    async [Symbol.asyncDispose]() {
      await rm(path, { recursive: true, force: true })
    },
  }
}
