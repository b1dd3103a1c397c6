"""What speaks for each class of RCV1, from the 50 dev records and general knowledge of financial news.

Its records have no word order and no numbers, so the evidence is single words. Common ones count only in company.
"""

from typing import Final

import markets
from lexicons import Evidence, Lexicon, Sources

_CORPORATE: Final[Sources] = {
    "legal form": Lexicon("inc, corp, plc, co, ltd, ag, sa, spa, nv, ab, oy, gmbh, kk, bhd, llc"),
    "company": Lexicon(
        "company, companys, subsidiary, subsidiaries, parent, affiliate, group, groups, holding, holdings"
    ),
    "officers": Lexicon("chairman, chief, executive, officer, managing, ceo, cfo, vicepresident"),
    "owners": Lexicon("shareholder, shareholders, stockholders, shares, share, equity, stake, preferred"),
    "business": Lexicon(
        "business, businesses, customers, products, product, sales, division, divisions, operations, "
        "acquisition*, restructuring, brand, retail, manufacturing, marketing, services",
        at_least=2,
    ),
    "results": Lexicon(
        "profit, profits, earnings, loss, losses, turnover, revenue, revenues, dividend*, income, net, sales, "
        "operating, tax, fiscal",
        at_least=2,
    ),
    "accounts": Lexicon("shr, eps, vs, nil, attrib, revs, unaudited, audited, pretax, attributable, consolidated"),
    "securities": Lexicon(
        "amt, coupon, maturity, borrower, guarantor, debenture*, warrant, warrants, convertible, prospectus, "
        "underwriter*, subscription, denom*, listing, placement"
    ),
    "lending": Lexicon(
        "loan, loans, lender, lenders, financing, finance, refinance, facility, syndicated, debt, arranger, "
        "tenor, guarantee*, credit, coupon, issued, issue",
        at_least=2,
    ),
    "raters": Lexicon("moodys, ibca, rating, ratings, rated, s&p, creditwatch, issuer"),
}
_MARKETS: Final[Sources] = {
    "traders": Lexicon(
        "trader, traders, dealer, dealers, broker, brokers, shippers, shipbroker*, refiners, exporters, "
        "importers, crushers, buyers, sellers"
    ),
    "price moves": Lexicon(
        "prices, eased, easing, firm, firmed, firmer, slipped, steady, steadied, steadier, edged, dipped, "
        "unchanged, rallied, weaker, stronger, softer, higher, lower, quiet, thin, sluggish, profittaking",
        at_least=2,
    ),
    "session": Lexicon(
        "trade, trading, session, midsession, midday, morning, afternoon, overnight, intraday, early, late, "
        "fixing, opening, opened, close, closed, closing, settled, yesterdays",
        at_least=2,
    ),
    "venues": Lexicon("lme, nymex, ipe, cbot, comex, liffe, simex, csce, kcbt, mge, interbank, forex, fx, otc"),
    "contracts": Lexicon(
        "futures, spot, contracts, delivery, forward, forwards, prompt, nearby, backwardation, contango, physical"
    ),
    "currency": Lexicon(
        "dollar, dollars, mark, marks, yen, franc, francs, sterling, pound, lira, peso, ringgit, baht, rupiah, "
        "rouble, currency, currencies",
        at_least=2,
    ),
    "authorities": Lexicon(
        "bundesbank, fed, central, governor, minister, ministry, government, cabinet, parliament, opec, usda, "
        "agriculture"
    ),
    "fundamentals": Lexicon(
        "supply, supplies, demand, export, exports, import, imports, inventories, stocks, consumption, surplus, "
        "shortage, quota, liquidity",
        at_least=2,
    ),
}
_PERFORMANCE: Final[Sources] = {
    "profit": Lexicon("profit, profits, profitability, earnings, earned, loss, losses, lossmaking"),
    "table": Lexicon("shr, net, revs, eps, vs, nil, avg, attrib, attributable, mths, yr", at_least=2),
    "income statement": Lexicon(
        "pretax, turnover, revenue, revenues, sales, income, tax, extraordinary, exceptional, depreciation, "
        "expenses, provisions",
        at_least=2,
    ),
    "dividend": Lexicon("dividend*, div, divs, payout"),
    "dividend notice": Lexicon("amount, latest, prior, pay, payable, paid, record, quarterly, ex", at_least=3),
    "period": Lexicon(
        "quarter, quarterly, half, halfyear, firsthalf, fullyear, firstquarter, secondquarter, thirdquarter, "
        "fourthquarter, interim, fiscal, sixmonth, yearearlier, ended, result, results",
        at_least=2,
    ),
    "outlook": Lexicon(
        "forecast, forecasts, expected, expects, analyst, analysts, estimate, estimates, outlook, consensus, "
        "predicted, comfortable",
        at_least=2,
    ),
    "growth": Lexicon(
        "rose, rise, growth, grew, growing, increase, increased, improved, improvement, jumped, fell, decline, "
        "declined, drop, strong, record, margins, exceeded, costs, volumes, performance",
        at_least=3,
    ),
    "note": Lexicon("unless, stated, specified, restated, excludes, includes"),
}
_FUNDING: Final[Sources] = {
    "bond terms": Lexicon(
        "amt, coupon, maturity, reoffer, denom, denoms, iss, straight, bond, bonds, eurobond*, debenture*, "
        "emtn, subordinated, callable, puttable"
    ),
    "syndicate": Lexicon(
        "underwriter*, underwriting, mgr, comanagers, bookrunner*, arranger*, arranged, syndicate*, "
        "syndication, borrower*"
    ),
    "ratings": Lexicon(
        "moodys, rating, ratings, rated, s&p, poors, ibca, aaa, aa, baa, bbb, creditwatch, downgrade*, upgraded"
    ),
    "loan": Lexicon(
        "loan, loans, facility, syndicated, lend, lender, lenders, refinance, refinancing, tenor, libor, repay, "
        "repayment, revolving, borrowing"
    ),
    "share issue": Lexicon(
        "rights, warrant, warrants, placement, placing, flotation, ipo, prospectus, offering*, convertible, "
        "subscription, subscribed, exercisable, registration, registered, bonus, allotment, split"
    ),
    "capital": Lexicon(
        "capital, raise, raised, raising, proceeds, fund, funds, funding, finance, financing, recapitalisation, "
        "recapitalization",
        at_least=2,
    ),
    "municipal": Lexicon(
        "municipal, muni, county, city, state, states, authority, district, school, hospital, water, "
        "obligation, competitive, issuer, desk",
        at_least=3,
    ),
    "agreement": Lexicon(
        "agreement, signed, negotiate, talks, project, development, guarantee, guaranteed, bank, banks, "
        "bankers, lend, loan, credit, fund, funds, finance",
        at_least=4,
    ),
    "issue": Lexicon("issue, issues, issued, issuance, issuer"),
    "pricing": Lexicon(
        "priced, pricing, price, yield, spread, points, par, fee, fees, maturing, fixed, floating", at_least=2
    ),
}
_MONEY: Final[Sources] = {
    "currencies": Lexicon(markets.CURRENCIES),
    "dollar": Lexicon("dollar"),
    "rates": Lexicon("rate, rates, repo, repos, discount, lombard, overnight, yield, yields, tbill, tbills"),
    "central bank": Lexicon(
        "bank, banks, bundesbank, boj, fed, central, reserve, monetary, intervention, intervene*, governor"
    ),
    "money market": Lexicon(
        "money, interbank, liquidity, deposit, deposits, call, certificates, placements, bills, auction, "
        "tender, drain*, inject*"
    ),
    "exchange": Lexicon(
        "forex, fx, currency, currencies, devaluation, devalue, revaluation, basket, band, crosses, peg, "
        "parity, convertibility"
    ),
    "monetary union": Lexicon("emu, erm, ecu, euro, maastricht, convergence, tietmeyer, issing, waigel"),
    "policy": Lexicon(
        "monetary, economy, economic, inflation, budget, policy, deficit, tightening, easing, gdp, election, "
        "elections",
        at_least=2,
    ),
    "tenors": Lexicon("oneweek, twoweek, onemonth, threemonth, sixmonth, twelvemonth, oneyear, shortterm, basis"),
}
_COMMODITY: Final[Sources] = {
    "energy": Lexicon(f"{markets.PETROLEUM}, gas, heating, jet, megawatt*, mwh"),
    "base metals": Lexicon(markets.BASE_METALS),
    "precious metals": Lexicon(markets.PRECIOUS_METALS),
    "grains": Lexicon(markets.GRAINS),
    "softs": Lexicon(markets.SOFTS),
    "livestock": Lexicon(markets.LIVESTOCK),
    "farming": Lexicon(markets.FARMING),
    "quantities": Lexicon(markets.QUANTITIES),
    "shipping": Lexicon(
        "cargo, cargoes, shipment, shipments, freight, vessel*, tanker*, charterers, tonnage, ports, loading, "
        "shippers, grades"
    ),
    "futures": Lexicon("futures, nymex, ipe, lme, cbot, comex, contango, backwardation, physical, spot, delivery"),
    "balance": Lexicon(
        "price, prices, supply, supplies, demand, buyers, sellers, producers, consumer, stocks", at_least=2
    ),
}

EVIDENCE: Final[Evidence] = {
    ("sector", "Corporate"): _CORPORATE,
    ("sector", "Markets"): _MARKETS,
    ("corporate", "Performance"): _PERFORMANCE,
    ("corporate", "Funding"): _FUNDING,
    ("markets", "Money"): _MONEY,
    ("markets", "Commodity"): _COMMODITY,
}
