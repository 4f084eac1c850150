import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { runCli, startCli, type CliResult, type RunningCli } from '../integration/cli/run-cli.ts'
import type { Scenario } from './scenario.ts'

export interface AppFolder extends AsyncDisposable {
  readonly path: string
  /** Runs `millrace ARGS` in the folder to its end, against the scenario's engine. */
  readonly run: (...args: string[]) => Promise<CliResult>
  /** Starts `millrace ARGS`; killed at the end. */
  readonly start: (...args: string[]) => RunningCli
}

/** What a configuration in such a folder spreads, so that its names on the wire are the scenario's unique ones. */
export const uniqueNames = `
  topicName: (name) => name + process.env.RUN,
  groupId: (_clientId, group) => group + process.env.RUN,
`

/**
 * An application in a folder of its own, as a user has it. In the files `SOURCES` stands for the path of the library and
 * `...UNIQUE` for the scenario's unique names.
 */
export async function appFolder(
  { brokers, topic }: Scenario,
  files: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
): Promise<AppFolder> {
  const path = await mkdtemp(join(tmpdir(), 'millrace-app-'))
  const sources = join(import.meta.dirname, '../../packages/millrace/src/index.ts')
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true })
    const written = text
      .replaceAll('SOURCES', JSON.stringify(sources))
      .replaceAll('...UNIQUE,', uniqueNames)
    await writeFile(join(path, name), written)
  }
  const options = { cwd: path, env: { KAFKA_URL: brokers.join(','), RUN: topic(''), ...env } }
  await using stack = new AsyncDisposableStack()
  stack.defer(() => rm(path, { recursive: true, force: true }))
  const started = stack.move()
  return {
    path,
    run: (...args) => runCli(args, options),
    start: (...args) => started.use(startCli(args, options)),
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  }
}
