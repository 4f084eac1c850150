import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')

export interface NodeTestsOptions {
  /** Patterns of files. */
  readonly files: readonly string[]
  /** Milliseconds for a file. */
  readonly timeoutMs: number
  /** Files at once; 0 runs all of them in this one process. */
  readonly concurrency: number
  readonly env?: Readonly<Record<string, string>>
}

/**
 * Starts `node --test` on files of this repository, with the reporter that fails a pattern which matches nothing.
 *
 * Compiled code is kept between processes: a test file is a process, and most of a short one's time goes into stripping
 * types and compiling what the file before it has compiled as well (0.45 s of CPU a file without, 0.2 s with).
 */
export function startNodeTests(options: NodeTestsOptions): ChildProcess {
  const { files, timeoutMs, concurrency, env } = options
  const reporters = [
    ['spec', 'stdout'],
    ['./tools/some-tests-ran.ts', 'stderr'],
  ].flatMap(([reporter, destination]) => [
    `--test-reporter=${reporter}`,
    `--test-reporter-destination=${destination}`,
  ])
  const isolation =
    concurrency === 0 ? '--test-isolation=none' : `--test-concurrency=${concurrency}`
  return spawn(
    process.execPath,
    ['--test', isolation, `--test-timeout=${timeoutMs}`, ...reporters, ...files],
    {
      cwd: root,
      stdio: 'inherit',
      env: {
        ...process.env,
        NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/compiled-tests'),
        ...env,
      },
    },
  )
}
