import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

export const main = join(import.meta.dirname, '../../../packages/millrace/src/cli/main.ts')

export interface CliOptions {
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  /** Standard input; without it there is none. */
  readonly input?: string | Buffer
  /** Standard input stays open behind `input`. */
  readonly keepsInput?: boolean
  /** For node itself, before the program. */
  readonly nodeArgs?: readonly string[]
}

export interface CliResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunningCli extends AsyncDisposable {
  readonly child: ChildProcess
  /** What it has printed so far. */
  readonly stdout: string
  readonly stderr: string
  readonly ended: Promise<CliResult>
}

/** The environment of a child: of this process without what would change where a command goes. */
export function cleanEnv(more: CliOptions['env'] = {}): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, NO_COLOR: '1', ...more }
  for (const name of ['KAFKA_URL', 'MILLRACE_OUTPUT', 'NODE_OPTIONS', 'NODE_TEST_CONTEXT'])
    if (more[name] === undefined) delete env[name]
  return env
}

/** Starts `millrace ARGS` from its sources. */
export function startCli(args: readonly string[], options: CliOptions = {}): RunningCli {
  const { nodeArgs = [], input } = options
  const child = spawn(process.execPath, [...nodeArgs, main, ...args], {
    cwd: options.cwd ?? import.meta.dirname,
    env: cleanEnv(options.env),
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
  // A command that has ended does not read what is left.
  child.stdin.on('error', () => undefined)
  if (options.keepsInput === true) child.stdin.write(input ?? '')
  else child.stdin.end(input ?? '')
  const ended = new Promise<CliResult>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
  return {
    child,
    get stdout() {
      return stdout
    },
    get stderr() {
      return stderr
    },
    ended,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      // A process that it has started may hold its output open.
      child.stdout.destroy()
      child.stderr.destroy()
      await ended
    },
  }
}

/** Runs `millrace ARGS` to its end. */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return startCli(args, options).ended
}

/** Runs a line of a shell in which `millrace` is the command under test. */
export async function runShell(line: string, options: CliOptions = {}): Promise<CliResult> {
  const shim = `millrace() { ${JSON.stringify(process.execPath)} ${JSON.stringify(main)} "$@"; }`
  const child = spawn('sh', ['-c', `${shim}\n${line}`], {
    cwd: options.cwd ?? import.meta.dirname,
    env: cleanEnv(options.env),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve))
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), closed])
  return { code, stdout, stderr }
}
