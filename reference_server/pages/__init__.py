"""What a browser gets: the pages, their styles and their modules, as plain files.

Here live one HTML file per page, the favicon, `css/` (tokens, base, components, live: the design system that
every page shares) and `js/` (the pure `client_core`, `pushes` and `reload`; the shells `socket`, `reloader`,
`api`, `session`, `toasts`, `indicator`; `page` for what signed-in pages have in common; one module per page; `api_docs`
with its parts for `/api-docs`, which shows the exported documents to anybody).
No build step: what lies here is what is served.

Never here: inline scripts, styles or handlers (the CSP forbids them), third-party requests, HTML made from
the server's text, a figure that is no operation's field, Python that serves.

To add a page, write `<page>.html` after `dashboard.html` and `js/<page>.js` that calls `openPage`; style it
with the components there are, and put it into the navigation of all pages.

Open them with `harness serve`.
"""
