// Opens code-server's page in Chromium as a person does: trusts the folder, edits a file,
// searches, runs a command in the terminal. `node code-server.js URL FOLDER SCREENSHOT`
// says line by line what it has seen.
const { chromium } = require("/opt/ide/playwright");

const [url, folder, screenshot] = process.argv.slice(2);
const seen = (what) => console.log(what);

async function edit(page) {
	await page.getByRole("treeitem", { name: "README" }).first().dblclick();
	const text = page.locator(".editor-instance .view-lines").first();
	await text.getByText("hello").waitFor();
	seen("the text of README");
	await text.click();
	await page.keyboard.press("Control+End");
	await page.keyboard.type("edited in the browser");
	await page.locator(".tab.active.dirty").waitFor();
	await page.keyboard.press("Control+s");
	await page.locator(".tab.active:not(.dirty)").waitFor();
	seen("README saved");
}

async function search(page) {
	await page.keyboard.press("Control+Shift+f");
	await page.keyboard.type("in the browser");
	await page.keyboard.press("Enter");
	await page.locator(".search-view .linematch").first().waitFor();
	seen("found by search");
}

async function terminal(page) {
	await page.keyboard.press("F1");
	await page.keyboard.type("Terminal: Create New Terminal");
	await page.keyboard.press("Enter");
	await page.locator(".terminal-wrapper.active .xterm-rows").getByText("$").first().waitFor();
	await page.keyboard.type("echo $((40 + 2)) $(id -un) $$ $(tty) | tee by-terminal\n");
	const line = page.locator(".terminal-wrapper.active .xterm-rows").getByText(/^42 /).first();
	await line.waitFor();
	seen("the terminal: " + (await line.innerText()).replace(/\u00a0/g, " ").trim());
}

async function main() {
	const browser = await chromium.launch({
		executablePath: "/usr/bin/chromium",
		args: ["--disable-dev-shm-usage", "--disable-gpu", "--no-first-run"],
		chromiumSandbox: true,
	});
	const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
	page.setDefaultTimeout(60000);
	try {
		await page.goto(`${url}/?folder=${encodeURIComponent(folder)}`);
		await page.getByRole("button", { name: "Yes, I trust the authors" }).click();
		seen("the workbench");
		await edit(page);
		await search(page);
		await terminal(page);
	} finally {
		await page.screenshot({ path: screenshot });
		await browser.close();
	}
}

main().catch((e) => {
	console.error(e.message);
	process.exit(1);
});
