import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

import { until } from '../../harness/until.ts'
import { cleanEnv } from '../cli/run-cli.ts'
import type { Block, Page } from './read-page.ts'
import { makeReaderFolder, type ReaderFolder } from './reader-folder.ts'

/** The addresses that pages show. The tests take free ones, and put them in their place. */
const shownBroker = 'localhost:9092'
const shownDrain = /(?:localhost|127\.0\.0\.1):6514/g

const portsOf: Readonly<Record<string, readonly string[]>> = {
  dev: ['--port', '0', '--drain-port', '0'],
  broker: ['--port', '0'],
  drain: ['--port', '0'],
}

/** Does what a reader of the page does, from its top to its end, and compares what is seen with what is shown. */
export async function playPage(page: Page): Promise<void> {
  await using folder = await makeReaderFolder()
  await using stays = new StayingCommands(folder)
  for (const [index, block] of page.blocks.entries()) {
    const where = `${page.path}:${block.line}`
    if (block.language === 'ts' && block.file !== undefined)
      await writeFile(join(folder.path, block.file), stays.withAddresses(block.text))
    const isRun = block.language === 'sh' && block.words.includes('run')
    const isLater = block.language === 'txt' && block.words.includes('dev')
    if (isLater) await stays.says(block.text, where)
    if (!isRun) continue
    const next = page.blocks[index + 1]
    const shown = next?.language === 'txt' && next.words.length === 0 ? next : undefined
    const staying = stayingCommand(block)
    if (staying !== undefined) await stays.start(staying, block.text, where, shown?.text)
    else await runBlock(block, shown, { folder, stays, where })
  }
}

function stayingCommand(block: Block): string | undefined {
  return /^(?:npx )?millrace (dev|broker|drain)\b[^\n]*\n$/.exec(block.text)?.[1]
}

async function runBlock(
  block: Block,
  shown: Block | undefined,
  {
    folder,
    stays,
    where,
  }: { readonly folder: ReaderFolder; readonly stays: StayingCommands; readonly where: string },
): Promise<void> {
  const child = openShell(`set -e\n${stays.withAddresses(block.text)}`, folder, stays.env)
  const [seen, code] = await Promise.all([collected(child), once(child, 'close')])
  const exit = /^exit=(\d+)$/.exec(block.words.find((word) => word.startsWith('exit=')) ?? '')?.[1]
  const said = `${where} said:\n${seen}\n${stays.lastWords}`
  assert.equal(code[0], Number(exit ?? 0), said)
  if (shown !== undefined) {
    const pattern = new RegExp(`^${patternOf(stays.withAddresses(shown.text))}$`)
    assert.match(seen.trimEnd(), pattern, said)
  }
}

/** Commands that go on beside the page's other blocks; all are stopped at its end, and have to end well. */
class StayingCommands implements AsyncDisposable {
  readonly #folder: ReaderFolder
  readonly #running: { readonly child: ChildProcess; output: string; readonly where: string }[] = []
  #broker: string | undefined
  #drain: string | undefined

  constructor(folder: ReaderFolder) {
    this.#folder = folder
  }

  withAddresses(text: string): string {
    const broker = this.#broker === undefined ? text : text.replaceAll(shownBroker, this.#broker)
    return this.#drain === undefined ? broker : broker.replaceAll(shownDrain, this.#drain)
  }

  /** Nothing may reach what happens to listen on the usual port of the machine that runs the test. */
  get env(): Readonly<Record<string, string>> {
    return { KAFKA_URL: this.#broker ?? 'localhost:1' }
  }

  get lastWords(): string {
    return this.#running.map(({ output }) => output).join('\n')
  }

  async start(
    command: string,
    text: string,
    where: string,
    shown: string | undefined,
  ): Promise<void> {
    const line = `exec ${this.withAddresses(text)
      .trim()
      .replace(/^npx /, '')} ${portsOf[command]?.join(' ') ?? ''}`
    const child = openShell(line, this.#folder, this.env)
    const running = { child, output: '', where }
    this.#running.push(running)
    const add = (chunk: Buffer): void => void (running.output += chunk.toString())
    child.stdout?.on('data', add)
    child.stderr?.on('data', add)
    await until(
      `${where} answers`,
      () => /^ {2}ready|^Broker on|^Drain on/m.test(running.output) || child.exitCode !== null,
      { lastSeen: () => running.output },
    )
    assert.equal(child.exitCode, null, `${where} ended with: ${running.output}`)
    this.#broker ??= /(?:broker {2,}|Broker on )(localhost:\d+)/.exec(running.output)?.[1]
    this.#drain ??= /(?:log drain|Drain on) .*?((?:localhost|127\.0\.0\.1):\d+)/.exec(
      running.output,
    )?.[1]
    if (shown !== undefined) await this.says(shown, where)
  }

  /** What is shown comes, sooner or later, as lines of a command that stays. */
  async says(shown: string, where: string): Promise<void> {
    const pattern = new RegExp(patternOf(this.withAddresses(shown)), 'm')
    await until(`${where} is said`, () => pattern.test(this.lastWords), {
      lastSeen: () => this.lastWords,
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { child, where } of this.#running.toReversed()) {
      if (child.exitCode === null) {
        child.kill('SIGINT')
        await once(child, 'close')
      }
      assert.equal(child.exitCode, 0, `${where} ended with ${child.exitCode}: ${this.lastWords}`)
    }
    this.#running.length = 0
    this.#broker = undefined
  }
}

function openShell(
  text: string,
  folder: ReaderFolder,
  more: Readonly<Record<string, string>>,
): ChildProcess {
  const env = cleanEnv(more)
  return spawn('sh', ['-c', `exec 2>&1\n${text}`], {
    cwd: folder.path,
    env: {
      ...env,
      NODE_NO_WARNINGS: '1',
      PATH: [folder.bin, join(process.execPath, '..'), env['PATH']].join(delimiter),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

async function collected(child: ChildProcess): Promise<string> {
  let text = ''
  for await (const chunk of child.stdout ?? []) text += String(chunk)
  return text
}

function patternOf(shown: string): string {
  return shown
    .trimEnd()
    .split('\n')
    .map((line) =>
      line.trim() === '…'
        ? '(?:.*\\n)*?.*'
        : line
            .trimEnd()
            .split('…')
            .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
            .join('.*?'),
    )
    .join('[ ]*\\n')
}
