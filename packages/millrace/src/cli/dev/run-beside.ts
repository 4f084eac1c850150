import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

export interface BesideOptions {
  readonly folder: string
  readonly env: NodeJS.ProcessEnv
  readonly note: (line: string) => void
}

const graceMs = 5000

/**
 * Runs the application's commands beside the worker, such as its web server, in sight of the user. One that ends is
 * told of and not started again.
 */
export function runBeside(
  commands: readonly string[],
  { folder, env, note }: BesideOptions,
): AsyncDisposable {
  let isStopping = false
  const running = commands.map((command) => {
    // A group of its own, so that what a shell has started ends with it.
    const child = spawn(inItsPlace(command), {
      cwd: folder,
      env,
      shell: true,
      detached: hasGroups,
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    const ended = endOf(child).then((how) => {
      if (!isStopping) note(`${command} ${how}`)
      return how
    })
    return { child, ended }
  })
  return {
    async [Symbol.asyncDispose]() {
      isStopping = true
      await Promise.all(
        running.map(async ({ child, ended }) => {
          if (child.exitCode !== null || child.signalCode !== null) return
          kill(child, 'SIGTERM')
          const timer = setTimeout(() => kill(child, 'SIGKILL'), graceMs)
          await ended
          clearTimeout(timer)
        }),
      )
    },
  }
}

async function endOf(child: ChildProcess): Promise<string> {
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
    return `ended with ${code ?? signal}`
  } catch (error) {
    return `cannot be run: ${String(error)}`
  }
}

const hasGroups = process.platform !== 'win32'

/** A plain command takes the shell's place, so that its end is what is waited for. */
function inItsPlace(command: string): string {
  return hasGroups && /^[\w./-]+( [^|&;<>()$`\\'"*?#~\n]*)?$/.test(command)
    ? `exec ${command}`
    : command
}

function kill(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    if (hasGroups) process.kill(-child.pid, name)
    else child.kill(name)
  } catch (error) {
    // It has gone by itself meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
