import assert from 'node:assert/strict'
import { access } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { it } from 'node:test'

import { runProgram } from '../../../packages/millrace/src/cli/program.ts'
import { commandRows as commands } from '../../../packages/millrace/src/cli/table.ts'
import { pagePaths, readPage, root } from './read-page.ts'

it('every command line that a page shows is one that the program takes', async () => {
  let count = 0
  for (const path of pagePaths) {
    for (const { language, text, line } of (await readPage(path)).blocks) {
      if (language !== 'sh') continue
      for (const words of commandLines(text)) {
        count += 1
        await runProgram(words, {
          commands,
          version: '',
          env: {},
          write: () => undefined,
          run: () => Promise.resolve(0),
        }).catch((error: unknown) => {
          assert.fail(`${path}:${line}: millrace ${words.join(' ')}: ${String(error)}`)
        })
      }
    }
  }
  assert.ok(count > 10, `only ${count} command lines were found`)
})

it('every link between the pages leads somewhere', async () => {
  for (const path of pagePaths) {
    const { text } = await readPage(path)
    for (const [, target = ''] of text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
      if (/^https?:/.test(target)) continue
      const file = join(root, dirname(path), target)
      await assert.doesNotReject(access(file), `${path} links to ${target}`)
    }
  }
})

/** The words behind each `millrace`, up to where the shell goes on by itself. */
function commandLines(text: string): readonly (readonly string[])[] {
  return text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .flatMap((line) => line.replace(/(^|\s)#.*$/, '').split(/\s(?:\||&&|\|\|)\s/))
    .flatMap((part) => {
      const match = /^\s*(?:npx )?millrace\s+(.*?)\s*(?:[<>].*)?$/.exec(part)
      return match === null ? [] : [wordsOf(match[1] ?? '')]
    })
    .filter((words) => words.length > 0)
}

function wordsOf(text: string): readonly string[] {
  return Array.from(text.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g), ([, single, double, bare]) => {
    return single ?? double ?? bare ?? ''
  })
}
