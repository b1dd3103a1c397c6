"""What speaks for each class of Reuters-21578, from 50 dev articles and general knowledge of the 1987 news wire.

Earnings come as tables ("Shr 39 cts vs 1.34 dlrs"), and companies with their ticker ("<HLME>").
"""

from typing import Final

import markets
from lexicons import Evidence, Form, Lexicon, Sources

_CORPORATE: Final[Sources] = {
    "ticker": Form(r"<[A-Z]{1,6}(?:\.[A-Z]{1,2})?>", field="title"),
    "named company": Form(
        r"<[A-Z][\w&.,' -]* (?:Inc|Corp|Co|Ltd|Plc|PLC|AG|SA|NV|LP|Partners|Group|Associates|Industries)\.?>"
    ),
    "legal form": Lexicon("inc, corp, ltd, plc, co, ag, nv, sa, spa, oy"),
    "owners": Lexicon(
        "shareholder*, stockholder*, common stock, common share*, shares outstanding, outstanding shares, "
        "preferred stock, holders of record, voting rights"
    ),
    "per share": Lexicon("per share, a share, per-share, shr, div, stock split, dividend*"),
    "organisation": Lexicon(
        "company, subsidiary, unit, units, division, affiliate, parent, board, directors, management"
    ),
    "results table": Form(r"(?s)\bvs\b.*\bvs\b.*\bvs\b"),
    "deal": Lexicon(
        "acquire*, acquisition*, merger, takeover, tender, letter of intent, definitive agreement, undisclosed, "
        "stake, buyout, divest*"
    ),
}
_MARKETS: Final[Sources] = {
    "traders": Lexicon(
        "trader*, dealer*, broker*, shippers, exporter*, importer*, producers, refiners, farmers, growers, "
        "economist*, bankers"
    ),
    "government": Lexicon(
        "minister*, ministry, government*, treasury, department, official*, congress, senate, parliament, "
        "commission, committee, agency, policy",
        at_least=2,
    ),
    "trade flows": Lexicon(
        "export*, import*, output, production, demand, supply, supplies, consumption, surplus, deficit, quota*, "
        "shipment*"
    ),
    "trading": Lexicon(
        "price, prices, futures, spot, market, markets, delivery, contract, contracts, rates, traded, trading, "
        "session",
        at_least=2,
    ),
    "authorities": Lexicon(
        "opec, usda, ec, ccc, central bank*, bank of england, bank of japan, fed, federal reserve, bundesbank, "
        "imf, gatt, white house, unctad, group of seven"
    ),
    "nations": Lexicon(
        "japan*, west german*, u.k., british, britain, france, french, canada, canadian, brazil*, saudi*, "
        "soviet*, china, chinese, european, australia*, argentin*, indonesia*, mexic*, foreign, international, "
        "world",
        at_least=2,
    ),
    "exchanges": Lexicon(
        "comex, nymex, lme, london metal exchange, board of trade, mercantile exchange, cbt, interbank, foreign "
        "exchange, money market*, currency, currencies"
    ),
}
_PERFORMANCE: Final[Sources] = {
    "per-share line": Form(r"\b(?:Oper )?[Ss]hrs?\b"),
    "net line": Form(r"\b(?:Oper )?[Nn]et (?:loss |profit )?\d[\d.,]*"),
    "comparison": Form(r"\bvs\.? +(?:loss |profit |nil\b|\d)"),
    "sales line": Form(r"\b(?:Revs?|Sales|Turnover|Revenues?) \d[\d.,]*|\bAvg shrs\b"),
    "dividend": Lexicon("dividend*, div, payout, stock split, holders of record, payable, qtly, qtrly, mthly"),
    "profit": Lexicon(
        "profit*, earnings, earned, net income, net loss, operating income, pretax, pre-tax, after-tax"
    ),
    "charges": Lexicon(
        "loss, losses, writedown*, writeoff*, write-down*, charge, charges, extraordinary, discontinued "
        "operations, tax credit*, carryforward*, restated"
    ),
    "outlook": Lexicon(
        "sees, expects, expect, expected, forecast*, projected, analyst*, estimate*, improved, outlook, "
        "results, quarter",
        at_least=3,
    ),
    "period": Lexicon(
        "first quarter, second quarter, third quarter, fourth quarter, fiscal year, fiscal quarter, year-ago, "
        "year ago, year earlier, six months, nine months, six mths, nine mths, first half, second half, latest "
        "year"
    ),
}
_OWNERSHIP: Final[Sources] = {
    "purchase": Lexicon(
        "acquire, acquires, acquired, acquiring, acquisition*, purchase, purchased, bought, buys, buy"
    ),
    "merger": Lexicon("merger*, merge, merged, combination, combine*, takeover*, buyout, buy-out, leveraged"),
    "bid": Lexicon("tender, tendered, bid, bids, bidder*, offer, offers, hostile, unsolicited, sweeten*, suitor*"),
    "stake": Lexicon(
        "stake, stakes, pct of the, pct interest, pct stake, interest in, holdings, securities and exchange "
        "commission, beneficial*"
    ),
    "disposal": Lexicon(
        "to sell its, to sell the, sells, sold its, sold the, sale of its, sale of the, divest*, spin off, "
        "spinoff, spinning off, disposal"
    ),
    "agreement": Lexicon(
        "letter of intent, definitive agreement, agreement in principle, agreed to, agreement to, terms of the, "
        "terms were, undisclosed, not disclosed, completes, subject to"
    ),
    "contest": Lexicon(
        "shareholder approval, regulatory approval, antitrust, justice department, proxy, poison pill, "
        "rejected, control of, greenmail, arbitrage*, investor group, investment firm, raider*, minority, "
        "majority"
    ),
}
_MONEY: Final[Sources] = {
    "dollar": Lexicon("dollar, dollar's"),
    "currencies": Lexicon(f"{markets.CURRENCIES}, currency, currencies"),
    "rates": Lexicon(
        "interest rate*, base rate*, prime rate*, discount rate*, lending rate*, bank rate*, bill rate*, repo, "
        "federal funds, fed funds, overnight, short-term rates, call money, note rates"
    ),
    "central bank": Lexicon(
        "central bank*, bank of england, bank of japan, bank of france, bank of canada, bundesbank, federal "
        "reserve, fed, reserve bank"
    ),
    "money market": Lexicon(
        "money market*, money supply, shortage, assistance, bills, liquidity, band one, repurchase, "
        "repurchases, bankers' acceptances, certificates of deposit"
    ),
    "exchange": Lexicon(
        "exchange rate*, foreign exchange, intervention, intervene*, devaluation, revaluation, ems, parity, "
        "plaza, louvre, group of seven, g-7, group of five, currency stability"
    ),
    "policy": Lexicon(
        "monetary, inflation, treasury secretary, finance minister*, chancellor, fiscal policy, economic "
        "growth, baker, volcker, stoltenberg, poehl, lawson, miyazawa, sumita"
    ),
    "borrowing": Lexicon(
        "treasury bill*, treasury balances, auction*, basis point*, percentage point*, yield, one-month, three- "
        "month, six-month, maturing, maturities"
    ),
}
_COMMODITY: Final[Sources] = {
    "petroleum": Lexicon(f"{markets.PETROLEUM}, gas, energy"),
    "grains": Lexicon(markets.GRAINS),
    "softs": Lexicon(markets.SOFTS),
    "base metals": Lexicon(markets.BASE_METALS),
    "precious metals": Lexicon(markets.PRECIOUS_METALS),
    "mining": Lexicon("mine, mines, mining, miners, ore, coal, mint, coins, reserves"),
    "livestock": Lexicon(markets.LIVESTOCK),
    "farming": Lexicon(markets.FARMING),
    "quantities": Lexicon(markets.QUANTITIES),
    "agencies": Lexicon(
        "usda, agriculture department, ccc, commodity credit, export enhancement, opec, international coffee, "
        "ico, icco, inro, buffer stock*, ec commission, agriculture minister*, energy minister*, oil minister*"
    ),
    "world price": Lexicon(
        "posted price*, contract price*, price increase*, raises prices, spot price*, spot market, producer "
        "price*, world price*, world market*, physical, for delivery, cents a pound, cts a pound, cts per "
        "pound, per tonne"
    ),
}

EVIDENCE: Final[Evidence] = {
    ("sector", "Corporate"): _CORPORATE,
    ("sector", "Markets"): _MARKETS,
    ("corporate", "Performance"): _PERFORMANCE,
    ("corporate", "Ownership"): _OWNERSHIP,
    ("markets", "Money"): _MONEY,
    ("markets", "Commodity"): _COMMODITY,
}
