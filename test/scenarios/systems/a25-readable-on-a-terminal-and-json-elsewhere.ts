/**
 * Lines for people on a terminal, JSON lines otherwise; LOG_LEVEL; a log file on request, and one that cannot be
 * written costs a warning.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify, stripVTControlCharacters } from 'node:util'
import { scenario } from '../../harness/scenario.ts'
import { missingTool } from '../../harness/tool.ts'

const execute = promisify(execFile)
const program = fileURLToPath(new URL('../../harness/programs/log-lines.ts', import.meta.url))

await scenario({}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-log-'))
  const noTerminal = await missingTool('script', ['--version'], 'apt-get install bsdutils')
  const run = async (env: Record<string, string>, isTerminal = false): Promise<string> => {
    const plain = [process.execPath, program]
    const [command = '', ...words] = isTerminal
      ? ['script', '-qec', plain.join(' '), '/dev/null']
      : plain
    const options = { cwd: folder, env: { PATH: process.env['PATH'], ...env }, timeout: 30_000 }
    return (await execute(command, words, options)).stdout
  }
  try {
    const [plain, errors, silent, terminal, , unwritable] = await Promise.all([
      run({}),
      run({ LOG_LEVEL: 'error' }),
      run({ LOG_LEVEL: 'silent' }),
      noTerminal ?? run({}, true),
      run({ MILLRACE_LOG_FILE: 'true', NODE_ENV: 'staging' }),
      run({ MILLRACE_LOG_FILE: '/dev/null/worker.log' }),
    ])
    const [running, failed, stopped] = parsed(plain)
    assert.match(textOf(running), /^Worker \d+ running: groups none; topics none; brokers /)
    assert.equal(running?.['level'], 30)
    assert.equal(textOf(failed), 'worker: TypeError: a sample')
    assert.partialDeepStrictEqual(failed, { level: 50, err: { type: 'TypeError' } })
    assert.match(textOf(stopped), /^Worker \d+ stopped after \d+ ms$/)

    assert.deepEqual(parsed(errors).map(textOf), ['worker: TypeError: a sample'])
    assert.equal(silent, '')

    if (noTerminal === undefined) {
      const lines = stripVTControlCharacters(terminal).split(/\r?\n/)
      assert.match(lines[0] ?? '', /^\[\d\d:\d\d:\d\d\.\d+\] INFO: Worker \d+ running: groups none/)
      assert.ok(lines.some((line) => line.endsWith(' ERROR: worker: TypeError: a sample')))
      const hasStack = lines.some((line) => /^\s+at .*log-lines\.ts/.test(line))
      assert.ok(hasStack, 'the stack, below it')
    } else console.log(noTerminal)

    const written = await readFile(join(folder, 'log/staging.log'), 'utf8')
    assert.ok(parsed(written).map(textOf).includes('worker: TypeError: a sample'))

    const [warning, ...others] = parsed(unwritable)
    assert.equal(warning?.['level'], 40)
    const path = '/dev/null/worker.log'
    assert.equal(textOf(warning), `Cannot write the log file ${path}, going on without it`)
    assert.equal(others.length, 3, 'everything else is as before')
  } finally {
    await rm(folder, { recursive: true })
  }
})

function parsed(text: string): readonly Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

function textOf(line: Record<string, unknown> | undefined): string {
  return String(line?.['msg'])
}
