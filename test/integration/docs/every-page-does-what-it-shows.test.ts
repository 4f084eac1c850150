import { describe, it } from 'node:test'

import { missingTool } from '../../harness/tool.ts'
import { playPage } from './play-page.ts'
import { pagePaths, readPage } from './read-page.ts'

describe('a page does what it shows', { concurrency: 2 }, async () => {
  const noCurl = await missingTool('curl', ['--version'], 'apt-get install curl')
  for (const path of pagePaths) {
    const page = await readPage(path)
    const run = page.blocks.filter(({ words }) => words.includes('run'))
    const wantsCurl = run.some(({ text }) => text.includes('curl '))
    if (run.length > 0) it(path, { skip: wantsCurl && noCurl }, () => playPage(page))
  }
})
