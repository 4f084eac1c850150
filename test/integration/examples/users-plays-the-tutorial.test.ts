import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'

import { until } from '../../harness/until.ts'
import { runCli, startCli, type RunningCli } from '../cli/run-cli.ts'
import { root } from '../docs/read-page.ts'
import { makeReaderFolder, type ReaderFolder } from '../docs/reader-folder.ts'

/** The example as somebody has it who installed the package. */
async function example(): Promise<ReaderFolder> {
  const folder = await makeReaderFolder()
  await cp(join(root, 'examples/users'), folder.path, {
    recursive: true,
    filter: (path) => !/\.millrace|node_modules/.test(path),
  })
  return folder
}

it('plays by itself: a row refused three times at its offset, and stored at last', async () => {
  await using folder = await example()
  const args = ['dev', '--config', 'tutorial.config.ts', '--port', '0', '--once', '--json']
  const { code, stdout, stderr } = await runCli(args, { cwd: folder.path })
  assert.equal(code, 0, stderr)
  const document = JSON.parse(stdout.slice(stdout.lastIndexOf('\n{\n') + 1)) as {
    readonly attempts: number
    readonly users: readonly { readonly name: string; readonly email: string }[]
  }
  assert.ok(document.attempts >= 3, stdout)
  assert.deepEqual(
    document.users.map(({ name, email }) => [name, email]),
    [
      ['Ada', 'ada@example.com'],
      ['Augusta', 'ada@example.com'],
    ],
  )
})

it('resumes at the offset that failed, after a restart without the constraint', async () => {
  await using folder = await example()
  const start = async (): Promise<RunningCli> => {
    const dev = startCli(['dev', '--port', '0'], { cwd: folder.path })
    await shows(dev, '  ready')
    return dev
  }
  const shows = (dev: RunningCli, what: string): Promise<void> =>
    until(`it shows ${what}`, () => (dev.stdout + dev.stderr).includes(what), {
      lastSeen: () => dev.stdout + dev.stderr,
    })
  const stop = async (dev: RunningCli): Promise<void> => {
    dev.child.kill('SIGINT')
    assert.equal((await dev.ended).code, 0, dev.stderr)
  }
  {
    await using dev = await start()
    const respond = (name: string): string =>
      `await UsersResponder.call({ event_name: 'user_created', payload: { user: { name: '${name}', email: 'a@b.c' } } })`
    // Found by the folder, as a reader does it.
    const said = await runCli(['console'], {
      cwd: folder.path,
      input: `${respond('Ada')}\n${respond('Augusta')}\n`,
    })
    assert.equal(said.code, 0, said.stdout + said.stderr)
    assert.match(said.stdout, /^Appended 1 message to users\/0:1 on localhost:\d+ \(node 1\)$/m)
    assert.match(said.stdout, /\{ topic: 'users' \}/)
    await shows(dev, 'UsersConsumer failed on users/0 at offset 1, attempt 2')
    await stop(dev)
  }
  const dropped = await runScript(folder, 'drop-constraint.ts')
  assert.match(dropped, /Ada/)
  assert.doesNotMatch(dropped, /Augusta/)
  {
    await using dev = await start()
    await shows(dev, 'Committed users/0:2')
    assert.match(dev.stdout, /Marked users\/0:1/)
    assert.doesNotMatch(dev.stdout, /users\/0:0/, 'what was finished does not come again')
    await stop(dev)
  }
  assert.match(await runScript(folder, 'drop-constraint.ts'), /Augusta/)
})

function runScript(folder: ReaderFolder, file: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [file], { cwd: folder.path }, (error, stdout) =>
      error ? reject(error) : resolve(stdout),
    )
  })
}
