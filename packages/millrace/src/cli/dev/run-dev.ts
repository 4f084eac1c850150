import { join, relative, resolve } from 'node:path'

import { failure } from '../../errors/index.ts'
import { formatSize } from '../../kit/index.ts'
import { configNames, findConfig } from '../load-config.ts'
import type { Printer } from '../printer.ts'
import { nextSignal } from '../signals.ts'
import { packageVersion } from '../version.ts'
import { bannerText } from './banner.ts'
import { openDevLog } from './dev-log.ts'
import { folderSize } from './folder-size.ts'
import { hotkeysText, listenKeys, type Hotkey } from './hotkeys.ts'
import { openScreen, type Screen } from './screen.ts'
import { openUserCode } from './user-code.ts'
import { watchFiles } from './watch-files.ts'
import { startDev, type DevConfig, type DevOptions, type DevSession } from './start-dev.ts'

export interface RunDevOptions extends Omit<DevOptions, 'loadConfig' | 'openLog' | 'onNote'> {
  /** Default: the one in the folder. */
  readonly configFile: string | undefined
  readonly isOnce: boolean
  readonly print: Printer
}

/** Runs `millrace dev` until a signal or, with `isOnce`, until the application's work is done. */
export async function runDev(options: RunDevOptions): Promise<void> {
  const { print, isOnce, folder, configFile } = options
  const startMs = performance.now()
  const stop = new AbortController()
  // Before anything is made: a mistyped folder shall not come into being.
  const bootFile = configFile === undefined ? await findConfig(folder) : resolve(folder, configFile)
  if (bootFile === undefined)
    throw failure('MR_CONFIG_FILE_MISSING', { path: join(folder, configNames[0]) })
  const signalled = nextSignal().then((signal) => stop.abort(signal))
  let screen: Screen | undefined
  const note = (line: string): void => (screen ? screen.note(line) : print.talk(line))

  using code = openUserCode(bootFile)
  await using session = await startDev({
    ...options,
    onNote: note,
    loadConfig: async () => {
      const config = await code.load()
      if (isOnce && (config as DevConfig).dev?.start === undefined)
        throw failure('MR_CLI_USAGE', {
          reason:
            '--once needs an application that says when its work is done: dev.start in its configuration',
        })
      return config
    },
    openLog: (dataFolder, config) => (config.dev?.start ? openDevLog(dataFolder, note) : undefined),
  })
  const restart = async (reason: string): Promise<void> => {
    await session.live.restart(reason)
    // Also after a failure: the next change may cure it.
    watched.follow(code.files, { any: code.hasFailed })
  }
  using watched = watchFiles((path) => void restart(`${relative(folder, path)} changed`))
  if (!isOnce) watched.follow(code.files)
  const hotkeys: readonly Hotkey[] = [
    { key: 'r', about: 'restart the worker', run: () => void restart('restart asked for') },
    { key: 'c', about: 'clear', run: () => process.stderr.write('\u001b[2J\u001b[H') },
    { key: 'q', about: 'quit', run: () => process.kill(process.pid, 'SIGINT') },
  ]
  const hasKeys = !isOnce && process.stdin.isTTY && process.stderr.isTTY
  using _keys = hasKeys
    ? listenKeys(process.stdin, hotkeys, () => process.kill(process.pid, 'SIGINT'))
    : undefined
  print.talk(await banner(session, options, performance.now() - startMs))
  if (hasKeys) print.talk(`  ${hotkeysText(hotkeys)}`)
  const ended = Promise.race([signalled, session.failed])

  const { companion } = session
  if (companion) {
    const { label, done, total } = companion.progress()
    if (done > 0) {
      const [here, all] = [done.toLocaleString('en-US'), total.toLocaleString('en-US')]
      const rest = `delete ${session.dataFolder} to begin anew`
      print.talk(
        `${label}: ${done < total ? `going on at ${here} of ${all}` : `all ${all}, by a former run; ${rest}`}`,
      )
    }
    const drawn = openScreen(companion, { out: process.stderr, isTerminal: process.stderr.isTTY })
    screen = drawn
    const finished = companion.finished.then(() => true)
    let isFinished = false
    try {
      isFinished = await Promise.race([finished, ended.then(() => false)])
    } finally {
      screen = undefined
      if (isFinished && print.isTerminal && print.format === 'text') drawn.clear()
      else drawn[Symbol.dispose]()
    }
    if (isFinished) {
      const { text, document } = await companion.report()
      await print.document(document, () => text)
    }
  }
  if (isOnce) return
  if (companion && !stop.signal.aborted) print.talk('Serving on; Ctrl-C stops.')
  await ended
  print.talk('Stopping')
}

async function banner(
  { broker, drain, gateway, companion, config, dataFolder, notes }: DevSession,
  { isMemory, folder }: RunDevOptions,
  readyMs: number,
): Promise<string> {
  return bannerText({
    version: packageVersion(),
    broker: broker.address,
    drainUrl: drain?.url,
    gatewayUrl: gateway?.url,
    addresses: companion?.addresses ?? [],
    dataFolder,
    dataSize: formatSize(isMemory ? 0 : await folderSize(dataFolder)),
    isDurable: !isMemory,
    application: folder,
    consumers: (config.app?.consumers ?? []).map(({ name, group, topics }) => ({
      name,
      group,
      topics: topics.map((topic) => topic.name),
    })),
    readyMs,
    notes,
  })
}
