import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface BrokerProcess extends AsyncDisposable {
  readonly brokers: readonly string[]
  /** SIGKILL, then a new process on the same folder and port. */
  readonly killAndStart: () => Promise<void>
  /** The two halves of it. */
  readonly kill: () => Promise<void>
  readonly start: () => Promise<void>
}

const program = fileURLToPath(new URL('./broker-process.ts', import.meta.url))

/** Starts the embedded broker in a process of its own, its data in a temporary folder. */
export async function startBrokerProcess(): Promise<BrokerProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-test-'))
  const start = async (onPort: number): Promise<{ child: ChildProcess; port: number }> => {
    const child = spawn(process.execPath, [program, folder, String(onPort)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: child.stdout })
    const [line] = (await Promise.race([
      once(lines, 'line'),
      once(child, 'exit').then(([code]) => {
        throw new Error(`the broker process ended with ${String(code)}`)
      }),
    ])) as [string]
    return { child, port: Number(line) }
  }
  const kill = async (process_: ChildProcess): Promise<void> => {
    const exited = once(process_, 'exit')
    process_.kill('SIGKILL')
    await exited
  }
  let running = await start(0)
  return {
    brokers: [`localhost:${running.port}`],
    async killAndStart() {
      await kill(running.child)
      running = await start(running.port)
    },
    kill: () => kill(running.child),
    async start() {
      running = await start(running.port)
    },
    async [Symbol.asyncDispose]() {
      await kill(running.child)
      await rm(folder, { recursive: true, force: true })
    },
  }
}
