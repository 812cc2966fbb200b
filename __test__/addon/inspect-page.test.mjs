// The page of `baileys-native inspect` in a real browser, with real processes and the mock server.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import test from 'node:test';
import { ADVICE, findChromium, launchChromium } from '../support/chromium.mjs';
import { startBot, startInspect, temporaryDirectory } from '../support/inspected.mjs';
import { iq, startServer, until } from '../support/native-session.mjs';

const { parseExport } = createRequire(import.meta.url)('../../js/cli/replay.cjs');
const executable = findChromium();
const options = { timeout: 180_000, skip: executable === undefined ? ADVICE : false };

const SECRET = Buffer.from('what nobody but the two of them may read');
const MARKUP = '<img src=x onerror="window.hacked=true">';

const message = n => ({
  tag: 'message',
  attrs: {
    id: `M${n}`,
    from: `4915110000${n}@s.whatsapp.net`,
    type: 'text',
    t: '1700000000',
    notify: `${MARKUP} ${n}`
  },
  content: [
    { tag: 'enc', attrs: { v: '2', type: 'msg' }, content: SECRET },
    { tag: 'meta', attrs: { origin: 'test' } }
  ]
});

/** Starts a process and the command, and opens its page. Errors of the page are collected. */
async function open(t, mode) {
  const directory = temporaryDirectory(t);
  const server = await startServer(t, { acceptUnknown: true });
  const bot = await startBot(t, { server, directory, mode });
  const { url } = await startInspect(t, directory);
  const context = await launchChromium(t, executable);
  const page = await context.newPage();
  const complaints = [];
  page.on('console', entry => entry.type() === 'error' && complaints.push(entry.text()));
  page.on('pageerror', error => complaints.push(error.message));
  const hosts = new Set();
  page.on('request', request => hosts.add(new URL(request.url()).host));
  await page.goto(url);
  await page.getByText('Live', { exact: true }).waitFor();
  const connection = server.connections.at(-1);
  return { server, bot, url, context, page, connection, complaints, hosts };
}

const rows = page => page.getByRole('listbox').getByRole('option');
/** The text of one part of each row. `part` is the CSS class of the part. */
const texts = (page, part) => page.locator(`#stanzas [role=option] .${part}`).allTextContents();

test('the page shows, filters, opens and measures stanzas of Baileys with register', options, async t => {
  const { bot, page, connection, complaints, hosts, url } = await open(t, 'baileys');
  assert.match(
    await page.getByRole('combobox', { name: 'Process' }).textContent(),
    new RegExp(`test bot – ${bot.pid}`)
  );
  for (let n = 1; n <= 12; n++) await connection.send(message(n));
  await page.locator('#stanzas .tag', { hasText: 'message' }).nth(11).waitFor();

  // The latency is shown at the query and at its answer.
  await bot.ask('query', iq({ id: 'the-query' }));
  const filter = page.getByRole('searchbox', { name: 'Filter' });
  await filter.fill('the-query');
  await until(async () => (await rows(page).count()) === 2);
  const took = await texts(page, 'took');
  for (const text of took) assert.match(text, /^(?:↩ )?[\d.]+ m?s$/);
  await rows(page).last().click();
  const pane = page.locator('#stanza');
  await pane.getByText('answered in').waitFor();
  await pane.getByRole('button', { name: 'Its answer' }).click();
  await pane.getByText('answers after').waitFor();
  assert.match(await page.locator('#latency').textContent(), /^[\d.]+ m?s$/);
  assert.ok(Number(await page.locator('#queries').textContent()) > 0);

  // Filters.
  const narrowed = async (text, part, expected) => {
    await filter.fill(text);
    const shown = await texts(page, part);
    assert.ok(shown.length > 0 && shown.every(each => expected.test(each)), `${text}: ${shown}`);
    return shown.length;
  };
  await filter.fill('');
  const all = await rows(page).count();
  const messages = await narrowed('tag:message', 'tag', /^message$/);
  assert.ok(messages >= 12 && messages < all);
  // Baileys also sends messages: it asks its phone for those that it cannot decrypt. The number of these is not known.
  const INCOMING = 'tag:message dir:in';
  assert.equal(await narrowed(INCOMING, 'arrow', /↓/), 12);
  assert.match(await page.locator('#shown').textContent(), /^12 of \d+$/);
  await narrowed('dir:out', 'arrow', /↑/);
  await narrowed('@type=result', 'about', /result/);
  await narrowed('-message', 'tag', /^(?!message)/);
  // Baileys also queries the sender, in stanzas to the server.
  await narrowed('tag:message jid:49151100007@', 'who', /^49151100007@/);
  await filter.fill('nothing like this');
  await page.getByText('No stanza matches the filter.').waitFor();
  await filter.fill('');
  const chip = page.getByRole('group', { name: 'Tags' }).getByRole('button', { name: /^message/ });
  await chip.click();
  assert.equal(await filter.inputValue(), 'tag:message');
  assert.equal(await chip.getAttribute('aria-pressed'), 'true');
  await chip.click();
  assert.equal(await filter.inputValue(), '');

  // The export has the stanzas that match the filter, with redacted contents. `replay` can read it.
  await filter.fill(INCOMING);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Export' }).click()
  ]);
  const exported = readFileSync(await download.path(), 'utf8');
  assert.ok(!exported.includes(SECRET));
  assert.equal(parseExport(exported).length, 12);
  await filter.fill('');

  // The tree, by mouse and keyboard.
  await filter.fill('M5');
  await page.locator('#stanzas [role=option]', { hasText: 'message' }).last().click();
  const tree = page.locator('.tree');
  await tree.getByText('enc', { exact: true }).waitFor();
  assert.equal(await tree.locator('li', { hasText: 'enc' }).locator('.veiled').textContent(), `${SECRET.length} bytes`);
  assert.ok((await tree.textContent()).includes(MARKUP), 'markup is text');
  await tree.locator('summary').click();
  assert.equal(await tree.getByText('enc', { exact: true }).isVisible(), false);
  await tree.locator('summary').press('Enter');
  assert.equal(await tree.getByText('enc', { exact: true }).isVisible(), true);
  await filter.fill('');
  await page.getByRole('listbox').focus();
  const selected = () => page.locator('[role=option][aria-selected=true]').getAttribute('id');
  const first = await selected();
  await page.keyboard.press('ArrowDown');
  assert.notEqual(await selected(), first);

  // The page contains no hidden values, and markup in stanzas is text.
  const content = await page.content();
  for (const form of ['utf8', 'base64', 'hex']) assert.ok(!content.includes(SECRET.toString(form)), form);
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  assert.deepEqual([...hosts], [new URL(url).host]);
  assert.deepEqual(complaints, []);

  // Without the token the page is refused.
  const bare = await page.context().newPage();
  for (const path of ['/', '/style.css', '/processes', '/wrong/']) {
    assert.equal((await bare.goto(new URL(path, url).href)).status(), 403);
  }
});

test(
  'the page shows stanzas of a NativeSession, counters, plots, a pause, and the end of the process',
  options,
  async t => {
    const { bot, page, connection, complaints } = await open(t, 'session');
    for (let n = 1; n <= 5; n++) await connection.send(message(n));
    await page.locator('#stanzas .tag', { hasText: 'message' }).nth(4).waitFor();
    for (let n = 0; n < 20; n++) await bot.ask('query', iq());
    await until(async () => Number(await page.locator('#queries').textContent()) === 20);
    await rows(page).first().click();
    await page.locator('.facts').getByText('session 1').waitFor();

    // The plot shows a second only after its end.
    const line = direction => page.locator(`#rates polyline.${direction}`).getAttribute('points');
    const heights = async direction =>
      new Set((await line(direction)).split(' ').map(point => point.split(',')[1])).size;
    await until(async () => (await heights('in')) > 1 && (await heights('out')) > 1);
    assert.ok((await page.locator('#histogram rect').count()) > 0);
    assert.match(await page.locator('#histogram').getAttribute('aria-label'), /20 latencies/);
    assert.equal(await page.locator('#connections').textContent(), '1');
    await until(async () => Number(await page.locator('#in').textContent()) >= 25);

    // Only this tag: a keep-alive query of the session could add rows.
    await page.getByRole('searchbox', { name: 'Filter' }).fill('tag:message');
    await page.getByRole('button', { name: 'Pause' }).click();
    const paused = await rows(page).count();
    const seen = Number(await page.locator('#in').textContent());
    await connection.send(message(6));
    await until(async () => Number(await page.locator('#in').textContent()) > seen);
    assert.equal(await rows(page).count(), paused);
    await page.getByRole('button', { name: 'Resume' }).click();
    assert.equal(await rows(page).count(), paused + 1);
    await page.getByRole('searchbox', { name: 'Filter' }).fill('dir:out @xmlns=passive');
    await rows(page).first().click();
    await page.locator('.facts').getByText('baileys-native itself').waitFor();
    await page.getByRole('searchbox', { name: 'Filter' }).fill('');

    // Each region and control has a name.
    for (const [role, name] of Object.entries({ searchbox: 'Filter', combobox: 'Process', listbox: /Stanzas/ })) {
      assert.equal(await page.getByRole(role, { name }).count(), 1, role);
    }
    // On a phone all captions are complete, and nothing is wider than the screen.
    await page.setViewportSize({ width: 375, height: 800 });
    const cut = await page.evaluate(() =>
      [...document.querySelectorAll('.card h2, .card p, figcaption, footer')]
        .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
        .map(({ textContent }) => textContent)
    );
    assert.deepEqual(cut, []);
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 375);
    const times = await page.evaluate(() =>
      [...document.querySelectorAll('#stanzas time')].map(time => {
        const seconds = document.createRange();
        seconds.setStart(time.firstChild, 0);
        seconds.setEnd(time.firstChild, 'hh:mm:ss'.length);
        const fits = seconds.getBoundingClientRect().width <= time.clientWidth;
        return fits && getComputedStyle(time).textOverflow === 'clip';
      })
    );
    assert.ok(times.length > 0 && times.every(Boolean), 'the time is shown up to its seconds');
    await page.setViewportSize({ width: 1280, height: 900 });

    // A second session appears in the picker, and can be selected.
    assert.equal(await page.locator('#session-picker').isVisible(), false);
    await bot.ask('another');
    const picker = page.getByRole('combobox', { name: 'Session' });
    await picker.selectOption('session 2');
    await page.locator('#stanzas .note', { hasText: 'session 2' }).first().waitFor();
    assert.equal(await page.locator('#stanzas .note', { hasText: 'session 1' }).count(), 0);
    await picker.selectOption('');

    await page.getByRole('button', { name: 'Clear' }).click();
    await page.getByText('No stanzas yet.').waitFor();

    for (const colorScheme of ['dark', 'light']) {
      await page.emulateMedia({ colorScheme });
      const [background, color] = await page.evaluate(() => {
        const { backgroundColor, color } = getComputedStyle(document.body);
        return [backgroundColor, color].map(text =>
          text
            .match(/\d+/g)
            .slice(0, 3)
            .reduce((sum, part) => sum + Number(part), 0)
        );
      });
      assert.ok(colorScheme === 'dark' ? color - background > 400 : background - color > 400, colorScheme);
    }
    await bot.ask('close');
    await page.getByText('The process has ended or is no longer inspected').waitFor();
    assert.deepEqual(complaints, []);
  }
);
