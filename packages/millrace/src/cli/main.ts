/** The `millrace` command: builds the program from the table, runs one command, sets the exit code. */
import { openCluster, type Cluster } from './cluster.ts'
import type { AnyCommand, GlobalOptions } from './command.ts'
import { exitCodeOf, exitCodes } from './exit-code.ts'
import { openPrinter } from './printer.ts'
import { runProgram } from './program.ts'
import { reportText } from './report.ts'
import { commandRows } from './table.ts'
import { packageVersion } from './version.ts'

const interrupted = new AbortController()

// A reader that has seen enough (`millrace tail | head`) is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitCodes.done)
    throw error
  })
}

const argv = process.argv.slice(2)

try {
  process.exitCode = await runProgram(argv, {
    commands: commandRows,
    version: packageVersion(),
    env: process.env,
    write: (text) => void process.stdout.write(text),
    run: runCommand,
  })
} catch (error) {
  const options = { isJson: wantsJson(argv), isVerbose: argv.includes('--verbose') }
  process.stderr.write(reportText(error, options))
  process.exitCode = exitCodeOf(error)
}

async function runCommand(
  command: AnyCommand,
  input: Readonly<Record<string, unknown>>,
  globals: GlobalOptions,
): Promise<number> {
  const print = openPrinter({ format: globals.output, isVerbose: globals.verbose })
  const { signal } = interrupted
  const { env } = process
  const folder = process.cwd()
  let cluster: Promise<Cluster> | undefined
  // What stays running handles signals itself: a worker has an order in which it stops.
  const stop = (): void => interrupted.abort()
  if (command.safety !== 'run') {
    process.once('SIGINT', stop)
    process.once('SIGTERM', stop)
  }
  try {
    const code = await command.run(input as never, {
      print,
      signal,
      env,
      folder,
      globals,
      cluster: () => (cluster ??= openCluster({ ...globals, env, folder }, signal)),
    })
    return code ?? (signal.aborted ? exitCodes.interrupted : exitCodes.done)
  } catch (error) {
    if (signal.aborted && error === signal.reason) return exitCodes.interrupted
    throw error
  } finally {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
    if (cluster) await (await cluster.catch(() => undefined))?.close()
  }
}

/** Also when the command line could not be parsed: whoever reads by machine gets JSON then too. */
function wantsJson(words: readonly string[]): boolean {
  return words.some((word, index) => {
    if (word === '--json' || /^(-o|--output=)(json|ndjson|yaml)$/.test(word)) return true
    const isValue = ['-o', '--output'].includes(words[index - 1] ?? '')
    return isValue && ['json', 'ndjson', 'yaml'].includes(word)
  })
}
