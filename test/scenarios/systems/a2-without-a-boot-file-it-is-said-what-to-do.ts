/** A command that needs the application says that there is none, and ends with 1; no command at all is help, and 2. */
import assert from 'node:assert/strict'
import { runCli } from '../../integration/cli/run-cli.ts'
import { makeReaderFolder } from '../../integration/docs/reader-folder.ts'
import { scenario } from '../../harness/scenario.ts'

await scenario({}, async ({ engine }) => {
  await using folder = await makeReaderFolder()
  const options = { cwd: folder.path, env: { KAFKA_URL: engine.address } }
  const commands = [['worker'], ['dev', '--memory'], ['flow'], ['console'], ['topics', 'plan']]
  const results = await Promise.all(commands.map((args) => runCli(args, options)))
  for (const [index, { code, stdout, stderr }] of results.entries()) {
    assert.deepEqual([code, stdout], [1, ''], commands[index]?.join(' '))
    assert.match(stderr, /no configuration file .*millrace\.config\.ts[^]*`millrace install`/)
  }
  const none = await runCli([], options)
  assert.equal(none.code, 2)
  assert.match(none.stdout, /Usage: millrace/)
})
