import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, it } from 'node:test'

import { until } from '../../harness/until.ts'
import { cleanEnv, runCli, startCli, type RunningCli } from '../cli/run-cli.ts'
import { root } from '../docs/read-page.ts'
import { makeReaderFolder, type ReaderFolder } from '../docs/reader-folder.ts'

const create = join(root, 'packages/create-millrace/src/main.ts')

interface Ended {
  readonly code: number | null
  readonly output: string
}

/** Runs a program of Node's, without a terminal. */
async function node(args: readonly string[], cwd: string): Promise<Ended> {
  const child = spawn(process.execPath, args, { cwd, env: cleanEnv(), stdio: 'pipe' })
  child.stdin.end()
  const closed = once(child, 'close') as Promise<[number | null]>
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), closed])
  return { code, output: out + err }
}

/** As after `npm install`: the sources stand for the package. */
async function installed(): Promise<ReaderFolder> {
  const folder = await makeReaderFolder()
  for (const name of ['hono', '@hono'])
    await symlink(join(root, 'node_modules', name), join(folder.path, 'node_modules', name))
  return folder
}

/** Sends an event over the application's own server, which restarts with what it imports, at another port each time. */
async function post(dev: RunningCli, name: string): Promise<void> {
  await until('the server answers', async () => {
    const url = dev.stdout.match(/http:\/\/localhost:\d+/g)?.at(-1)
    const answer = await fetch(`${url}/greetings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name }),
    })
    return answer.status === 202
  })
}

describe('npm create millrace', { concurrency: 2 }, () => {
  for (const template of ['plain', 'hono']) {
    it(`gives an application that type-checks, tests itself and handles events: ${template}`, async () => {
      await using folder = await installed()
      const made = await node(
        [create, 'My Shop', '--template', template, '--no-install', '--no-interactive'],
        folder.path,
      )
      assert.equal(made.code, 0, made.output)
      assert.match(made.output, /Next:\n {2}cd My Shop\n {2}npm install\n {2}npm run dev\n/)
      const shop = join(folder.path, 'My Shop')
      const files = await readdir(shop)
      for (const file of [
        'README.md',
        'AGENTS.md',
        '.gitignore',
        'millrace.config.ts',
        'package.json',
      ])
        assert.ok(files.includes(file), `${file} in ${files.join(' ')}`)
      const manifest = JSON.parse(await readFile(join(shop, 'package.json'), 'utf8')) as {
        readonly name: string
        readonly dependencies: Readonly<Record<string, string>>
      }
      assert.equal(manifest.name, 'my-shop')
      assert.match(manifest.dependencies['millrace'] ?? '', /^\^\d+\.\d+\.\d+$/)

      const tsc = await node([join(root, 'node_modules/typescript/bin/tsc')], shop)
      assert.equal(tsc.code, 0, tsc.output)
      const tests = await node(['--test'], shop)
      assert.equal(tests.code, 0, tests.output)
      assert.match(tests.output, /pass 2/)

      await using dev = startCli(['dev', '--memory', '--port', '0'], {
        cwd: shop,
        env: { PORT: '0', PATH: `${join(process.execPath, '..')}:${process.env['PATH']}` },
      })
      const shows = (what: string): Promise<void> =>
        until(`it shows ${what}`, () => (dev.stdout + dev.stderr).includes(what), {
          lastSeen: () => dev.stdout + dev.stderr,
        })
      await shows('  ready')
      if (template === 'hono') await shows('http://localhost:')
      const address = /broker +(\S+)/.exec(dev.stderr)?.[1] ?? ''
      const send = async (name: string): Promise<void> => {
        const args = ['write', 'greetings', JSON.stringify({ name }), '--brokers', address]
        assert.equal((await runCli(args, { cwd: shop })).code, 0)
      }
      await send('Ada')
      await shows('Hello Ada!')

      // One edit, and the next event is handled by it.
      const consumer = join(shop, 'app/consumers/greetings-consumer.ts')
      await writeFile(consumer, (await readFile(consumer, 'utf8')).replace('Hello', 'Welcome'))
      await shows('greetings-consumer.ts changed: the worker restarted')
      await (template === 'hono' ? post(dev, 'Grace') : send('Grace'))
      await shows('Welcome Grace!')
      dev.child.kill('SIGINT')
      assert.equal((await dev.ended).code, 0, dev.stderr)
    })
  }

  it('writes nothing into a folder that holds something, and takes no word that it does not know', async () => {
    await using folder = await makeReaderFolder()
    const shop = join(folder.path, 'shop')
    await mkdir(shop)
    await writeFile(join(shop, 'notes.txt'), 'mine')
    const taken = await node([create, 'shop', '--no-interactive'], folder.path)
    assert.equal(taken.code, 1)
    assert.match(taken.output, /is not empty: notes\.txt[^]*npx millrace install/)
    assert.deepEqual(await readdir(shop), ['notes.txt'])
    for (const args of [
      ['--template', 'rails'],
      ['--tempalte', 'plain'],
      ['a', 'b'],
    ]) {
      const wrong = await node([create, ...args], folder.path)
      assert.equal(wrong.code, 2, args.join(' '))
      assert.match(wrong.output, /Usage: npm create millrace/)
    }
  })

  it('has base classes as `millrace install` writes them', async () => {
    await using folder = await makeReaderFolder()
    assert.equal((await runCli(['install'], { cwd: folder.path })).code, 0)
    for (const file of [
      'consumers/application-consumer.ts',
      'responders/application-responder.ts',
    ]) {
      const [written, template] = await Promise.all([
        readFile(join(folder.path, 'app', file), 'utf8'),
        readFile(join(root, 'packages/create-millrace/templates/base/app', file), 'utf8'),
      ])
      const code = (source: string): string => source.replaceAll(/\/\*\*[^]*?\*\//g, '').trim()
      assert.equal(code(written), code(template), file)
    }
  })
})
