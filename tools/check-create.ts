/**
 * Checks `npm create millrace` as a stranger gets it: packs both packages, makes an application in an empty folder with
 * nothing but npm, runs its tests and types, starts it, sends an event, edits one line, and sees the next event handled
 * by it.
 *
 * An archive of millrace that was packed elsewhere may be named as argument.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

const root = join(import.meta.dirname, '..')
const folder = await mkdtemp(join(tmpdir(), 'millrace-create-'))
const deadlineMs = 60_000

try {
  const creator = await pack('create-millrace')
  const library = process.argv[2] ?? (await pack('millrace'))
  run(
    'npm',
    [
      'exec',
      '--yes',
      `--package=${creator}`,
      '--',
      'create-millrace',
      'shop',
      '--no-interactive',
      '--millrace',
      library,
    ],
    folder,
  )
  const shop = join(folder, 'shop')
  run('npm', ['test'], shop)
  run('npm', ['run', 'types'], shop)

  const dev = spawn('npx', ['millrace', 'dev', '--memory', '--port', '0'], {
    cwd: shop,
    detached: true,
  })
  let shown = ''
  for (const stream of [dev.stdout, dev.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => (shown += chunk))
  const shows = async (what: string): Promise<void> => {
    const endMs = Date.now() + deadlineMs
    while (!shown.includes(what)) {
      if (Date.now() > endMs || dev.exitCode !== null)
        throw new Error(`it never showed ${what}; it showed\n${shown}`)
      await wait(50)
    }
  }
  try {
    await shows('  ready')
    const broker = /broker +(\S+)/.exec(shown)?.[1] ?? ''
    const send = (name: string): void =>
      run(
        'npx',
        ['millrace', 'write', 'greetings', JSON.stringify({ name }), '--brokers', broker],
        shop,
      )
    send('Ada')
    await shows('Hello Ada!')
    const consumer = join(shop, 'app/consumers/greetings-consumer.ts')
    await writeFile(consumer, (await readFile(consumer, 'utf8')).replace('Hello', 'Welcome'))
    await shows('the worker restarted')
    send('Grace')
    await shows('Welcome Grace!')
  } finally {
    // npx stands between, so the signal goes to all of its group.
    if (dev.exitCode === null && dev.pid !== undefined) process.kill(-dev.pid, 'SIGINT')
    if (dev.exitCode === null) await once(dev, 'close')
  }
  console.log(
    'An application from npm create runs, and handles an event by the line that was edited.',
  )
} finally {
  await rm(folder, { recursive: true, force: true })
}

/** @returns the path of the archive */
async function pack(name: string): Promise<string> {
  const to = await mkdtemp(join(folder, 'pack-'))
  run('npm', ['pack', '--ignore-scripts', '--pack-destination', to], join(root, 'packages', name))
  const [archive = ''] = await readdir(to)
  return join(to, archive)
}

function run(command: string, args: readonly string[], cwd: string): void {
  execFileSync(command, [...args], { cwd, stdio: ['ignore', 'inherit', 'inherit'] })
}
