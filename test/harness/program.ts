import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface Program extends AsyncDisposable {
  /** JSON objects that it printed, one a line. */
  readonly facts: readonly Readonly<Record<string, unknown>>[]
  /** Everything else that it printed, standard error included. */
  readonly texts: readonly string[]
  readonly signal: (signal: NodeJS.Signals) => void
  /** Resolves with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
}

/** Runs a program of `programs/` in a process of its own, told by one JSON argument. */
export function startProgram(name: string, argument: object): Program {
  const path = fileURLToPath(new URL(`./programs/${name}.ts`, import.meta.url))
  const child = spawn(process.execPath, [path, JSON.stringify(argument)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const facts: Readonly<Record<string, unknown>>[] = []
  const texts: string[] = []
  const exit = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.startsWith('{')) facts.push(JSON.parse(line) as Readonly<Record<string, unknown>>)
    else texts.push(line)
  })
  createInterface({ input: child.stderr }).on('line', (line) => texts.push(line))
  const ended = exit.then(([code, signal]) => code ?? signal ?? 0)
  return {
    facts,
    texts,
    signal: (signal) => void child.kill(signal),
    ended,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await ended
    },
  }
}
