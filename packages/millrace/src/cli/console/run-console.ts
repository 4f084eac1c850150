import { start, type REPLServer } from 'node:repl'
import type { Readable, Writable } from 'node:stream'
import { inspect } from 'node:util'

import {
  internals,
  openProducer,
  resolveConfig,
  startWorker,
  type Logger,
  type MillraceConfig,
  type StartOptions,
  type Worker,
} from '../../app/index.ts'
import { exitCodes } from '../exit-code.ts'
import { runScript } from './run-script.ts'
import { consoleScope } from './scope.ts'

export interface ConsoleOptions {
  /** What the boot file exports; its default export is the configuration. */
  readonly exports: Readonly<Record<string, unknown>>
  readonly config: MillraceConfig
  readonly input: Readable & { readonly isTTY?: boolean }
  readonly output: Writable
  /** The head, on a terminal: where it is connected. */
  readonly talk: (line: string) => void
  readonly cluster: string
}

/**
 * A read-eval-print loop with the application loaded. From a pipe each statement is run in turn, and the first that
 * fails ends it.
 */
export async function runConsole(options: ConsoleOptions): Promise<number> {
  const { config, input, output, talk } = options
  const resolved = resolveConfig(config, { env: process.env })
  const isTerminal = input.isTTY === true
  await using opened = new AsyncDisposableStack()
  const producer = opened.use(openProducer(config))
  let server: REPLServer | undefined
  const logger = consoleLogger(output, () => (isTerminal ? server : undefined))
  opened.defer(
    internals.installLog(logger, {
      groupIds: new Set(resolved.plans.map(({ groupId }) => groupId)),
      clientId: resolved.options.clientId,
      // Each message is told of, as in development: that is what somebody at a console wants to see.
      isDevelopment: true,
      level: resolved.options['log.level'],
    }),
  )
  const scope = consoleScope(options.exports, resolved.topics, {
    config,
    producer,
    send: producer.send,
    async startWorker(given: MillraceConfig = config, more: StartOptions = {}): Promise<Worker> {
      // The console tells of what happens itself; the logger is for the handlers.
      const flags = { ...more.flags, 'log.level': 'silent' }
      const worker = await startWorker(given, { signals: false, log: logger, ...more, flags })
      opened.use(worker)
      return worker
    },
  })
  if (isTerminal) {
    talk(`Cluster ${options.cluster}. In scope: ${[...scope.keys()].join(', ')}`)
    talk('`await` works; .help for commands, Ctrl-D ends.')
  }

  for (const [name, value] of scope)
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true })
  opened.defer(() => {
    for (const name of scope.keys()) Reflect.deleteProperty(globalThis, name)
  })
  // Awaited here: what is open lives until the last statement.
  if (!isTerminal) return await runScript(input, output)
  const repl = start({
    prompt: 'millrace> ',
    input,
    output,
    terminal: true,
    // In the same realm as the library: arrays and errors are what it takes for such.
    useGlobal: true,
    ignoreUndefined: true,
    writer: (value) => inspect(value, { depth: 6, colors: true }),
  })
  server = repl
  await new Promise<void>((resolve) => repl.once('exit', resolve))
  return exitCodes.done
}

/** The text of each line; on a terminal above the prompt. */
function consoleLogger(output: Writable, prompt: () => REPLServer | undefined): Logger {
  const write =
    (level: string) =>
    (fields: object, text: string): void => {
      const { err } = fields as { readonly err?: unknown }
      const detail = err instanceof Error ? `\n${err.stack ?? err.message}` : ''
      const server = prompt()
      if (server) output.write('\r\u001b[0K')
      output.write(`${level}${text}${detail}\n`)
      server?.displayPrompt(true)
    }
  return {
    debug: write(''),
    info: write(''),
    warn: write('warning: '),
    error: write('error: '),
  }
}
