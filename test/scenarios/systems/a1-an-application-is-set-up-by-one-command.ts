/** `millrace install` writes and prints the boot file and both base classes; what it wrote starts as it is; it asks first. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runCli, startCli } from '../../integration/cli/run-cli.ts'
import { makeReaderFolder } from '../../integration/docs/reader-folder.ts'
import { scenario } from '../../harness/scenario.ts'

await scenario({}, async ({ engine, until }) => {
  await using folder = await makeReaderFolder()
  const options = { cwd: folder.path, env: { KAFKA_URL: engine.address } }
  const { code, stdout } = await runCli(['install'], options)
  assert.equal(code, 0)
  for (const file of [
    'millrace.config.ts',
    'app/consumers/application-consumer.ts',
    'app/responders/application-responder.ts',
  ])
    assert.match(stdout, new RegExp(`^${file}: written$`, 'm'))

  await using worker = startCli(['worker'], options)
  await until('it runs', () => /Worker \d+ running/.test(worker.stdout), {
    lastSeen: () => worker.stdout + worker.stderr,
  })
  worker.child.kill('SIGTERM')
  assert.equal((await worker.ended).code, 0)

  const boot = join(folder.path, 'millrace.config.ts')
  await writeFile(boot, '// mine\n')
  const again = await runCli(['install'], options)
  assert.equal(again.code, 2)
  assert.match(again.stderr, /there already[^]*--force/)
  assert.equal(await readFile(boot, 'utf8'), '// mine\n')
})
