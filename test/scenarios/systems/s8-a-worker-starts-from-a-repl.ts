/** Usable without all that: build the consumer, `startWorker(config, { include })`, see a message handled; no process, unit or socket is needed. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { scenario } from '../../harness/scenario.ts'

await scenario({ topics: { drops: {} } }, async (scene) => {
  const sources = join(import.meta.dirname, '../../../packages/millrace/src/index.ts')
  const node = spawn(process.execPath, ['--interactive', '--no-warnings'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'], NODE_REPL_HISTORY: '' },
  })
  let said = ''
  node.stdout.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
  let typed = 0
  const asked = (): number => said.match(/^> /gm)?.length ?? 0
  /** The next line waits for the prompt: an answer may take its time. */
  const type = async (line: string): Promise<void> => {
    await scene.until('it asks', () => asked() > typed, { lastSeen: () => said })
    typed++
    node.stdin.write(`${line}\n`)
  }
  try {
    await type(
      `const { defineApp, defineConsumer, defineTopic, startWorker } = await import(${JSON.stringify(sources)})`,
    )
    await type(`const drops = defineTopic(${JSON.stringify(scene.topic('drops'))})`)
    await type(`const handled = []`)
    await type(
      `const consumer = (name, group) => defineConsumer({ topic: drops, name, group, each: ({ value }) => void console.log('handled', name, value) })`,
    )
    await type(
      `const app = defineApp({ consumers: [consumer('one', ${JSON.stringify(scene.group('one'))}), consumer('two', ${JSON.stringify(scene.group('two'))})] })`,
    )
    await type(
      `const worker = await startWorker({ brokers: ${JSON.stringify(scene.brokers)}, app }, { signals: false, log: false, include: ['consumer:one'] })`,
    )
    await type(`await worker.producer.send(drops, { value: 'a price' })`)
    await scene.until('it is handled', () => said.includes('handled one a price'), {
      lastSeen: () => said,
    })
    assert.ok(!said.includes('handled two'))
    await type(`await worker.stop()`)
    const ended = once(node, 'exit')
    await type(`.exit`)
    assert.deepEqual(await ended, [0, null])
  } finally {
    node.kill('SIGKILL')
  }
})
