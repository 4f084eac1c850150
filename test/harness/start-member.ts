import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface MemberProcessOptions {
  readonly brokers: readonly string[]
  readonly groupId: string
  readonly topics: readonly string[]
  readonly commits?: 'always' | 'never'
  /** Default 6 s, the shortest that brokers allow. */
  readonly sessionTimeoutMs?: number
}

export interface MemberProcess extends AsyncDisposable {
  readonly messages: readonly {
    readonly partition: number
    readonly offset: number
    readonly value: string
  }[]
  readonly isReady: () => boolean
  /** SIGKILL: nothing is committed, nobody is told. */
  readonly kill: () => Promise<void>
  /** SIGTERM: commits (unless it never does), leaves, ends. */
  readonly stop: () => Promise<void>
  /** SIGSTOP: it does nothing at all until `thaw`. */
  readonly freeze: () => void
  readonly thaw: () => void
}

const program = fileURLToPath(new URL('./member-process.ts', import.meta.url))

/** Starts a group member in a process of its own; see `member-process.ts`. */
export function startMember(options: MemberProcessOptions): MemberProcess {
  const told = { commits: 'always', sessionTimeoutMs: 6000, ...options }
  const child = spawn(process.execPath, [program, JSON.stringify(told)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const messages: { partition: number; offset: number; value: string }[] = []
  let isReady = false
  createInterface({ input: child.stdout }).on('line', (line) => {
    const fact = JSON.parse(line) as (typeof messages)[number] | { readonly ready: true }
    if ('ready' in fact) isReady = true
    else messages.push(fact)
  })
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal)
    await exited
  }
  return {
    messages,
    isReady: () => isReady,
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) await end('SIGKILL')
    },
  }
}
